"""A running application, clients of two accounts, and a dataset with a finished run written through the store."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image
from sqlalchemy import select

from backend.api.server import Server
from backend.app import create_app
from backend.settings import Settings
from backend.store import accounts, claims, datasets, results, runs
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Account, Dataset, Run
from noise_audit import upload

CLASSES = ["cat", "dog", "=fox"]
SAMPLES = 60
EPOCHS = 5


@dataclass(frozen=True)
class Planted:
    """A ready dataset and its succeeded run, with every number that was written."""

    dataset_id: str
    run_id: str
    names: list[str]
    given_N: np.ndarray[Any, Any]
    true_N: np.ndarray[Any, Any]
    result_N: np.ndarray[Any, Any]
    history: dict[str, np.ndarray[Any, Any]]
    probability_NC: np.ndarray[Any, Any]
    neighbour_NK: np.ndarray[Any, Any]


class Live:
    """One application served by uvicorn on a free port, as in production."""

    def __init__(self, settings: Settings, database: Database, artifacts: Artifacts) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings.model_copy(update={"port": self.port})
        self.database = database
        self.app = create_app(self.settings, database, artifacts)
        self.server = Server(uvicorn.Config(self.app, log_config=None, access_log=False))
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self._socket]})

    def __enter__(self) -> Live:
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.server.started
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self._thread.join(20)
        self._socket.close()
        assert not self._thread.is_alive()

    def browser(self, headers: dict[str, str] | None = None) -> httpx.Client:
        """A client that talks to nobody but this server."""
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=20)


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> Iterator[Database]:
    """One database for all tests of a module, which make what they change themselves."""
    opened = Database(new_database())
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation")


@pytest.fixture(scope="module")
def artifacts(folder: Path) -> Artifacts:
    return Artifacts.open("", folder)


@pytest.fixture(scope="module")
def settings(folder: Path) -> Settings:
    return Settings(data=folder / "data", server_folders=str(folder / "opened"))


@pytest.fixture(scope="module")
def live(settings: Settings, database: Database, artifacts: Artifacts) -> Iterator[Live]:
    with Live(settings, database, artifacts) as running:
        yield running


@pytest.fixture
def start() -> type[Live]:
    """Serves an application on these parts, for as long as it is entered."""
    return Live


@pytest.fixture
def fresh(settings: Settings, database: Database, artifacts: Artifacts) -> Iterator[Live]:
    """An application of this test alone, for what would disturb others."""
    with Live(settings, database, artifacts) as running:
        yield running


@pytest.fixture
def anonymous(live: Live) -> Iterator[httpx.Client]:
    """Nobody."""
    with live.browser() as client:
        yield client


@pytest.fixture
def sign_in() -> Iterator[Callable[[Live, str], httpx.Client]]:
    """Makes an account, when there is none of this name, and gives a browser that signed in with its code."""
    clients: list[httpx.Client] = []

    def enter(live: Live, name: str) -> httpx.Client:
        with live.database.transaction() as session:
            account = session.scalar(select(Account).where(Account.name == name))
            if account is None:
                account = Account(id=uuid.uuid4().hex, name=name, role="editor")
                session.add(account)
                session.flush()
            code = accounts.new_login_code(session, account.id)
        client = live.browser()
        clients.append(client)
        answer = client.post("/api/session", json={"code": code})
        assert answer.status_code == 200, answer.text
        return client

    yield enter
    for client in clients:
        client.close()


@pytest.fixture
def client(live: Live, sign_in: Callable[[Live, str], httpx.Client], account_id: str) -> httpx.Client:
    """The local account's browser."""
    return sign_in(live, "local")


@pytest.fixture
def stranger(live: Live, sign_in: Callable[[Live, str], httpx.Client]) -> httpx.Client:
    """Another account's browser."""
    return sign_in(live, "stranger")


@pytest.fixture
def uploaded(client: httpx.Client, tmp_path: Path) -> Callable[[str, bytes], str]:
    """Uploads a file of the local account; gives the upload's id."""

    def send(filename: str, data: bytes) -> str:
        path = tmp_path / filename
        path.write_bytes(data)
        return upload.send(client, path)[0]

    return send


@pytest.fixture
def account_id(database: Database) -> str:
    with database.transaction() as session:
        return accounts.ensure_local_account(session).id


@pytest.fixture
def ready_dataset(database: Database, artifacts: Artifacts, account_id: str) -> Callable[..., str]:
    """Makes a ready dataset of small coloured PNGs."""

    def make(true_labels: bool = True) -> str:
        rng = np.random.default_rng(0)
        true_N = np.arange(SAMPLES) % len(CLASSES)
        given_N = np.where(rng.random(SAMPLES) < 0.25, (true_N + 1) % len(CLASSES), true_N)
        images = [_png((index * 4, 100, 200)) for index in range(SAMPLES)]
        with database.transaction() as session:
            dataset_id = datasets.create(session, account_id, "Pets & co", {"kind": "builtin"}).id
            assert claims.claim(session, Dataset, dataset_id, "import-claim", 5) is not None
            datasets.publish_samples(
                session,
                dataset_id,
                names=[f"{'=' if index == 7 else ''}{index:03d}.png" for index in range(SAMPLES)],
                given_label_N=given_N,
                true_label_N=true_N if true_labels else None,
                content_hash=[hashlib.sha256(image).hexdigest() for image in images],
                width_N=np.full(SAMPLES, 20),
                height_N=np.full(SAMPLES, 12),
            )
            claims.finish(
                session,
                Dataset,
                dataset_id,
                "import-claim",
                "ready",
                classes=CLASSES,
                class_counts=np.bincount(given_N, minlength=3).tolist(),
                sample_count=SAMPLES,
                image_shape=[12, 20, 3],
                has_true_labels=true_labels,
            )
        for kind in ("images", "thumbs"):
            artifacts.put(f"datasets/{dataset_id}/{kind}.pack", b"".join(images))
            offsets = np.cumsum([0, *map(len, images)]).astype(np.int64)
            artifacts.put(f"datasets/{dataset_id}/{kind}.offsets.npy", _npy(offsets))
        return dataset_id

    return make


@pytest.fixture
def planted(
    database: Database, artifacts: Artifacts, account_id: str, ready_dataset: Callable[..., str]
) -> Planted:
    """A finished run on a ready dataset."""
    rng = np.random.default_rng(1)
    dataset_id = ready_dataset()
    result_N = np.zeros(SAMPLES, results.RESULT_DTYPE)
    result_N["sample_index"] = np.arange(SAMPLES)
    result_N["noise_posterior"] = rng.random(SAMPLES)
    result_N["flagged"] = result_N["noise_posterior"] >= 0.7
    result_N["suggested_label"] = rng.integers(0, 3, SAMPLES)
    for name in ("loss", "margin", "label_quality", "x", "y"):
        result_N[name] = rng.normal(size=SAMPLES) if name in ("margin", "x", "y") else rng.random(SAMPLES)
    history = {
        "loss": rng.random((EPOCHS, SAMPLES)).astype(np.float16),
        "margin": rng.normal(size=(EPOCHS, SAMPLES)).astype(np.float16),
        "prediction": rng.integers(0, 3, (EPOCHS, SAMPLES)).astype(np.int16),
    }
    probability_NC = rng.dirichlet(np.ones(3), SAMPLES).astype(np.float16)
    neighbour_NK = np.array([(index + np.arange(1, 9)) % SAMPLES for index in range(SAMPLES)], np.int32)
    with database.transaction() as session:
        run_id = runs.create(session, account_id, dataset_id, "fast", {"epochs": EPOCHS}, 3).id
    with database.transaction() as session:
        assert claims.claim(session, Run, run_id, "run-claim", 5) is not None
    for epoch in range(1, EPOCHS + 1):
        with database.transaction() as session:
            runs.write_epoch(session, run_id, "run-claim", epoch, **an_epoch(epoch))
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "features": rng.normal(size=(SAMPLES, 6)).astype(np.float16),
        "probabilities": probability_NC,
        "neighbours": neighbour_NK,
    }
    for name, array in arrays.items():
        artifacts.put(f"runs/{run_id}/{name}.npy", _npy(array))
    packed = io.BytesIO()
    np.savez_compressed(packed, **history)  # type: ignore[arg-type]
    artifacts.put(f"runs/{run_id}/history.npz", packed.getvalue())
    artifacts.put(f"runs/{run_id}/model.safetensors", b"weights")
    outcome = {
        "samples": SAMPLES,
        "flagged": int(result_N["flagged"].sum()),
        "threshold": 0.7,
        "noise_rate": 0.3,
        "noise_rate_interval": [0.2, 0.4],
        "model": "beta",
        "trust": {"verdict": "good", "reasons": ["Two components."]},
        "metrics": {"auroc": 0.5, "average_precision": 0.4, "f1": 0.3, "precision": 0.2, "recall": 0.1},
    }
    with database.transaction() as session:
        results.publish_results(session, run_id, "run-claim", result_N, outcome)
    with database.transaction() as session:
        columns = datasets.samples(session, dataset_id)
    assert columns.true_label_N is not None
    return Planted(
        dataset_id,
        run_id,
        columns.names,
        columns.given_label_N,
        columns.true_label_N,
        result_N,
        history,
        probability_NC,
        neighbour_NK,
    )


@pytest.fixture
def epoch_content() -> Callable[[int], dict[str, Any]]:
    """What one epoch writes."""
    return an_epoch


def an_epoch(epoch: int) -> dict[str, Any]:
    curve = {
        "weights": [0.7, 0.3],
        "parameters": [[1.0, 3.0], [3.0, 1.0]],
        "x": [0.0, 1.0, 2.0],
        "components": [[0.7, 0.1, 0.0], [0.0, 0.2, 0.3]],
        "sum": [0.7, 0.3, 0.3],
        "log_likelihood": -1.0,
        "threshold": 1.2,
    }
    return {
        "metrics": {"train_loss": 2.0 / epoch, "train_accuracy": 0.5, "noise_rate": 0.3},
        "histogram": {"edges": [0.0, 1.0, 2.0], "counts": [40, 20]},
        "mixtures": {"beta": curve, "gaussian": curve, "chosen": "beta"},
        "trust": {"verdict": "good", "reasons": ["Two components."]},
    }


def _png(colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 12), colour).save(file, "PNG")
    return file.getvalue()


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()
