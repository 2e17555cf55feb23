"""Uploads by tus 1.0: in chunks, resumed, bounded, and only one's own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from backend.api.uploads import DAYS_KEPT, sweep
from backend.settings import Limits, Settings
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Upload

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = np.random.default_rng(0).bytes(1_000_000)


def metadata(filename: str = "pets.zip", **others: str) -> str:
    words = {"filename": filename, "filetype": "application/zip", **others}
    return ",".join(f"{key} {base64.b64encode(word.encode()).decode()}" for key, word in words.items())


def create(client: httpx.Client, size: int = len(BYTES), **headers: str) -> httpx.Response:
    return client.post(
        "/api/uploads",
        headers={**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata(), **headers},
    )


def patch(client: httpx.Client, address: str, offset: int, data: bytes) -> httpx.Response:
    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return client.patch(address, content=data, headers=headers)


def offset_of(client: httpx.Client, address: str) -> int:
    answer = client.head(address, headers=TUS)
    assert answer.status_code == 200
    return int(answer.headers["Upload-Offset"])


def files_of(live: Any, account_id: str) -> Path:
    return Path(live.settings.data) / "uploads" / account_id


def stored(artifacts: Artifacts, address: str) -> bytes:
    return artifacts.get(f"uploads/{address.rsplit('/', 1)[-1]}")


def test_an_upload_in_several_chunks_arrives_whole_and_becomes_a_dataset(
    client: httpx.Client, artifacts: Artifacts
) -> None:
    made = create(client)
    assert made.status_code == 201
    address = made.headers["Location"]
    assert address.startswith("/api/uploads/")
    for start in range(0, len(BYTES), 300_000):
        assert offset_of(client, address) == start
        answer = patch(client, address, start, BYTES[start : start + 300_000])
        assert answer.status_code == 204
    assert hashlib.sha256(stored(artifacts, address)).digest() == hashlib.sha256(BYTES).digest()
    # A browser that never heard the last answer asks how far it came.
    assert offset_of(client, address) == len(BYTES)
    upload_id = address.rsplit("/", 1)[-1]
    dataset = client.post("/api/datasets", json={"upload_id": upload_id, "limit": 10})
    assert dataset.status_code == 201
    assert dataset.json()["name"] == "pets"
    assert dataset.json()["status"] == "importing"
    assert dataset.json()["source"] == {
        "kind": "upload",
        "upload_id": upload_id,
        "filename": "pets.zip",
        "format": "auto",
        "columns": {},
        "split": "train",
        "limit": 10,
        "all_or_nothing": False,
    }


def test_an_upload_goes_on_after_its_connection_broke_in_mid_chunk(
    live: Any, client: httpx.Client, artifacts: Artifacts
) -> None:
    address = create(client).headers["Location"]
    with socket.create_connection(("127.0.0.1", live.port)) as broken:
        cookie = client.cookies["noise_audit_session"]
        head = (
            f"PATCH {address} HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\nTus-Resumable: 1.0.0\r\n"
            f"Cookie: noise_audit_session={cookie}\r\nUpload-Offset: 0\r\n"
            f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(BYTES)}\r\n\r\n"
        )
        broken.sendall(head.encode() + BYTES[:400_000])
    deadline = time.monotonic() + 10
    while (offset := offset_of(client, address)) == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert 0 < offset <= 400_000
    assert patch(client, address, offset, BYTES[offset:]).status_code == 204
    assert stored(artifacts, address) == BYTES


def test_bytes_that_a_killed_server_wrote_but_never_noted_do_not_stay(
    live: Any, client: httpx.Client, artifacts: Artifacts, account_id: str
) -> None:
    address = create(client).headers["Location"]
    patch(client, address, 0, BYTES[:1000])
    with (files_of(live, account_id) / address.rsplit("/", 1)[-1]).open("ab") as file:
        file.write(b"written, then killed")
    assert offset_of(client, address) == 1000
    assert patch(client, address, 1000, BYTES[1000:]).status_code == 204
    assert stored(artifacts, address) == BYTES


def test_bytes_that_were_noted_but_lost_are_asked_for_again(
    live: Any, client: httpx.Client, artifacts: Artifacts, account_id: str
) -> None:
    address = create(client).headers["Location"]
    patch(client, address, 0, BYTES[:5000])
    os.truncate(files_of(live, account_id) / address.rsplit("/", 1)[-1], 3000)
    assert patch(client, address, 5000, BYTES[5000:]).status_code == 409
    assert offset_of(client, address) == 3000
    assert patch(client, address, 3000, BYTES[3000:]).status_code == 204
    assert stored(artifacts, address) == BYTES


def test_an_upload_whose_completion_was_cut_off_is_completed_when_it_is_used(
    live: Any, client: httpx.Client, artifacts: Artifacts, account_id: str
) -> None:
    address = create(client).headers["Location"]
    patch(client, address, 0, BYTES[:-1])
    # As a kill leaves it between the last byte and its completion.
    path = files_of(live, account_id) / address.rsplit("/", 1)[-1]
    with path.open("ab") as file:
        file.write(BYTES[-1:])
    note = path.with_name(f"{path.name}.info")
    note.write_text(json.dumps({**json.loads(note.read_text()), "offset": len(BYTES)}))
    assert client.post("/api/datasets", json={"upload_id": path.name}).status_code == 201
    assert stored(artifacts, address) == BYTES


def test_an_unfinished_upload_is_no_dataset_yet(client: httpx.Client) -> None:
    address = create(client).headers["Location"]
    answer = client.post("/api/datasets", json={"upload_id": address.rsplit("/", 1)[-1]})
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_a_used_up_upload_says_so(client: httpx.Client, artifacts: Artifacts) -> None:
    address = create(client).headers["Location"]
    patch(client, address, 0, BYTES)
    upload_id = address.rsplit("/", 1)[-1]
    artifacts.delete(f"uploads/{upload_id}")
    assert patch(client, address, len(BYTES), b"").status_code == 204
    answer = client.post("/api/datasets", json={"upload_id": upload_id})
    assert (answer.status_code, answer.json()["code"]) == (404, "UPLOAD_USED")


def test_a_wrong_offset_and_a_byte_too_many_are_refused_and_cost_nothing(
    client: httpx.Client, artifacts: Artifacts
) -> None:
    address = create(client).headers["Location"]
    assert patch(client, address, 5, BYTES[5:]).status_code == 409
    assert patch(client, address, 0, BYTES + b"!").status_code == 400
    assert patch(client, address, 0, BYTES).status_code == 204
    assert stored(artifacts, address) == BYTES


def test_two_writers_at_once_do_not_hold_the_server_up(
    live: Any, client: httpx.Client, artifacts: Artifacts
) -> None:
    address = create(client).headers["Location"]
    go_on = threading.Event()

    def slowly() -> Any:
        yield BYTES[:100_000]
        go_on.wait(10)
        yield BYTES[100_000:]

    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    headers["Content-Length"] = str(len(BYTES))
    answers: list[int] = []
    slow = threading.Thread(
        target=lambda: answers.append(client.patch(address, content=slowly(), headers=headers).status_code)
    )
    slow.start()
    with live.browser({"Cookie": f"noise_audit_session={client.cookies['noise_audit_session']}"}) as second:
        deadline = time.monotonic() + 10
        began = time.monotonic()
        # At an offset that is never right: before the first writer holds the upload, this must not become the first.
        while (status := patch(second, address, 5, BYTES[5:]).status_code) != 423:
            assert (status, time.monotonic() < deadline) == (409, True)
        assert time.monotonic() - began < 5
        assert second.get("/health/live").status_code == 200
    go_on.set()
    slow.join(20)
    assert answers == [204]
    assert stored(artifacts, address) == BYTES


def test_somebody_elses_upload_is_not_there(client: httpx.Client, stranger: httpx.Client) -> None:
    address = create(client).headers["Location"]
    patch(client, address, 0, BYTES[:10])
    assert stranger.head(address, headers=TUS).status_code == 404
    assert patch(stranger, address, 10, BYTES[10:]).status_code == 404
    assert stranger.delete(address, headers=TUS).status_code == 404
    assert offset_of(client, address) == 10
    patch(client, address, 10, BYTES[10:])
    answer = stranger.post("/api/datasets", json={"upload_id": address.rsplit("/", 1)[-1]})
    assert answer.status_code == 404


@pytest.mark.parametrize("name", [".locks", "..", "%2e%2e", "0" * 31, "a" * 32, "x" * 32, "%00", "a.info"])
def test_no_name_reaches_another_file(client: httpx.Client, name: str) -> None:
    create(client)
    for method in ("HEAD", "DELETE"):
        answer = client.request(method, f"/api/uploads/{name}", headers=TUS)
        assert answer.status_code in (404, 405)


def test_an_upload_can_be_given_up(client: httpx.Client, live: Any, account_id: str) -> None:
    address = create(client).headers["Location"]
    assert client.delete(address, headers=TUS).status_code == 204
    assert client.head(address, headers=TUS).status_code == 404
    assert not list(files_of(live, account_id).glob(f"{address.rsplit('/', 1)[-1]}*"))


def test_limits_are_checked_before_the_first_byte(
    start: Any,
    settings: Settings,
    database: Database,
    artifacts: Artifacts,
    sign_in: Callable[[Any, str], httpx.Client],
) -> None:
    small = settings.model_copy(update={"limits": Limits(upload_bytes=1000)})
    with start(small, database, artifacts) as running:
        client = sign_in(running, "local")
        assert create(client, 1000).status_code == 201
        answer = create(client, 1001)
        assert (answer.status_code, answer.json()["code"]) == (413, "LIMIT_EXCEEDED")
        assert (answer.json()["limit"], answer.json()["found"]) == (1000, 1001)
        assert client.options("/api/uploads", headers=TUS).headers["Tus-Max-Size"] == "1000"


def test_an_upload_leaves_the_share_of_the_disk_free_that_the_settings_say(
    start: Any,
    settings: Settings,
    database: Database,
    artifacts: Artifacts,
    sign_in: Callable[[Any, str], httpx.Client],
) -> None:
    careful = settings.model_copy(update={"limits": Limits(disk_free_share=0.999999)})
    with start(careful, database, artifacts) as running:
        answer = create(sign_in(running, "local"), 1000)
        assert (answer.status_code, answer.json()["code"]) == (503, "DISK_FULL")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "-1"}, 422),
        ({"Upload-Length": "x"}, 422),
        ({"Upload-Metadata": "filename eA=="}, 422),
        ({"Upload-Metadata": ""}, 422),
        ({"Upload-Defer-Length": "1"}, 403),
        ({"Upload-Concat": "partial"}, 403),
        ({"Upload-Concat": "final;/api/uploads/../../etc/passwd"}, 403),
        ({"Tus-Resumable": "0.9"}, 412),
        ({"Content-Length": "5"}, 403),
    ],
)
def test_an_upload_that_is_not_announced_properly_is_refused(
    client: httpx.Client, headers: dict[str, str], status: int
) -> None:
    if "Content-Length" in headers:
        answer = client.post(
            "/api/uploads",
            content=b"12345",
            headers={**TUS, "Upload-Length": "5", "Upload-Metadata": metadata()},
        )
    else:
        answer = create(client, len(BYTES), **headers)
    assert answer.status_code == status
    assert answer.json()["code"]


def test_without_the_tus_header_a_foreign_form_changes_nothing(client: httpx.Client) -> None:
    answer = client.post("/api/uploads", content=b"x", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (403, "TUS_VERSION")


def test_the_address_of_an_upload_never_names_another_host(client: httpx.Client) -> None:
    answer = create(client, 10, **{"X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith("/api/uploads/")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\pets\\cats.zip", "cats.zip"), ("\u0000\u202e", "upload")],
)
def test_a_file_name_is_only_its_last_printable_word(client: httpx.Client, sent: str, kept: str) -> None:
    address = create(client, 3, **{"Upload-Metadata": metadata(sent)}).headers["Location"]
    patch(client, address, 0, b"abc")
    dataset = client.post("/api/datasets", json={"upload_id": address.rsplit("/", 1)[-1]}).json()
    assert dataset["source"]["filename"] == kept


def test_only_what_nobody_went_on_with_is_swept_away(
    client: httpx.Client, fresh: Any, artifacts: Artifacts, database: Database
) -> None:
    folder = Path(fresh.settings.data) / "uploads" / "somebody"
    folder.mkdir(parents=True)
    now = time.time()
    for name, age in (("old", DAYS_KEPT + 1), ("young", DAYS_KEPT - 1)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (now, now - age * 86_400))
    ids = {}
    for name in ("old", "young", "used"):
        address = create(client).headers["Location"]
        patch(client, address, 0, BYTES)
        ids[name] = address.rsplit("/", 1)[-1]
    assert client.post("/api/datasets", json={"upload_id": ids["used"]}).status_code == 201
    with database.transaction() as session:
        for name in ("old", "used"):
            session.get_one(Upload, ids[name]).created_at = datetime.now(UTC) - timedelta(days=DAYS_KEPT + 1)

    sweep(fresh.app.state.context, now)  # as the application does once when it starts, perhaps at this moment

    assert [path.name for path in folder.iterdir()] == ["young"]
    assert {name for name, upload_id in ids.items() if artifacts.exists(f"uploads/{upload_id}")} == {
        "young",
        "used",
    }


def test_a_finished_upload_can_be_given_up_until_a_dataset_is_made_of_it(
    client: httpx.Client, artifacts: Artifacts
) -> None:
    addresses = [create(client).headers["Location"] for _ in range(2)]
    for address in addresses:
        patch(client, address, 0, BYTES)
    left, used = (address.rsplit("/", 1)[-1] for address in addresses)
    assert client.delete(addresses[0], headers=TUS).status_code == 204
    assert not artifacts.exists(f"uploads/{left}")
    assert client.post("/api/datasets", json={"upload_id": left}).status_code == 404
    assert client.post("/api/datasets", json={"upload_id": used}).status_code == 201

    answer = client.delete(addresses[1], headers=TUS)

    assert (answer.status_code, answer.json()["code"]) == (409, "UPLOAD_IN_USE")
    assert artifacts.exists(f"uploads/{used}")


def test_bytes_that_arrived_otherwise_than_they_were_sent_are_refused_and_forgotten(
    client: httpx.Client, artifacts: Artifacts
) -> None:
    address = create(client).headers["Location"]
    patch(client, address, 0, BYTES)
    upload_id = address.rsplit("/", 1)[-1]
    right = hashlib.sha256(hashlib.sha256(BYTES).digest()).hexdigest()
    assert client.post("/api/preflights", json={"upload_id": upload_id, "digest": right}).status_code == 201

    answer = client.post("/api/preflights", json={"upload_id": upload_id, "digest": "0" * 64})

    assert (answer.status_code, answer.json()["code"]) == (409, "UPLOAD_BROKEN")
    assert not artifacts.exists(f"uploads/{upload_id}")
    assert client.post("/api/datasets", json={"upload_id": upload_id}).status_code == 404
