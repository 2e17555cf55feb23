"""Samples and decisions over HTTP, compared with what was written."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from backend.api.viewing import viewable
from backend.audit.errors import BadInput

Make = Callable[..., str]


def decide(client: httpx.Client, dataset_id: str, *items: dict[str, Any], **body: Any) -> httpx.Response:
    key = body.pop("idempotency_key", uuid.uuid4().hex)
    return client.post(
        f"/api/datasets/{dataset_id}/decisions",
        json={"items": list(items), "idempotency_key": key, **body},
    )


def pages(client: httpx.Client, run_id: str, **filters: Any) -> tuple[list[dict[str, Any]], int]:
    """All pages of a filter, seven at a time."""
    items: list[dict[str, Any]] = []
    after = None
    while True:
        query = {**filters, "limit": 7, **({"after": after} if after else {})}
        page = client.get(f"/api/runs/{run_id}/samples", params=query).json()
        items += page["items"]
        after = page["next"]
        if after is None:
            return items, page["total"]


def test_the_pages_hold_every_sample_once_from_the_most_to_the_least_suspect(
    client: httpx.Client, planted: Any
) -> None:
    items, total = pages(client, planted.run_id)
    assert total == len(items) == 60
    ranked = np.argsort(-planted.result_N["noise_posterior"]).tolist()
    assert [item["index"] for item in items] == ranked
    for item in items:
        written = planted.result_N[item["index"]]
        assert item["noise_posterior"] == written["noise_posterior"]
        assert np.float32(item["loss"]) == written["loss"]
        assert item["flagged"] == bool(written["flagged"])
        assert item["given_label"] == planted.given_N[item["index"]]
        assert item["true_label"] == planted.true_N[item["index"]]
        assert item["name"] == planted.names[item["index"]]
        assert item["decision"] is None


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"flagged": "true"}, lambda p: p.result_N["flagged"]),
        ({"flagged": "false"}, lambda p: ~p.result_N["flagged"]),
        ({"given_label": 1}, lambda p: p.given_N == 1),
        (
            {"suggested_label": 2, "flagged": "true"},
            lambda p: (p.result_N["suggested_label"] == 2) & p.result_N["flagged"],
        ),
        (
            {"min_posterior": 0.2, "max_posterior": 0.6},
            lambda p: (p.result_N["noise_posterior"] >= 0.2) & (p.result_N["noise_posterior"] <= 0.6),
        ),
        ({"indices": [3, 5, 59]}, lambda p: np.isin(np.arange(60), [3, 5, 59])),
        ({"order": "index", "given_label": 0}, lambda p: p.given_N == 0),
    ],
)
def test_a_filter_keeps_exactly_what_it_says(
    client: httpx.Client,
    planted: Any,
    filters: dict[str, Any],
    expected: Callable[[Any], np.ndarray[Any, Any]],
) -> None:
    items, total = pages(client, planted.run_id, **filters)
    wanted = np.flatnonzero(expected(planted)).tolist()
    found = [item["index"] for item in items]
    assert (found if filters.get("order") == "index" else sorted(found)) == wanted
    assert total == len(wanted)


@pytest.mark.parametrize(
    ("query", "item"),
    [
        ({"limit": 501}, "limit"),
        ({"limit": 0}, "limit"),
        ({"min_posterior": "nan"}, "min_posterior"),
        ({"max_posterior": 2}, "max_posterior"),
        ({"verdict": "maybe"}, "verdict"),
        ({"order": "random"}, "order"),
        ({"given_label": 2**40}, "given_label"),
        ({"after": "i3"}, "after"),
        ({"after": "pnan_x"}, "after"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(
    client: httpx.Client, planted: Any, query: dict[str, Any], item: str
) -> None:
    answer = client.get(f"/api/runs/{planted.run_id}/samples", params=query)
    assert (answer.status_code, answer.json()["item"]) == (422, item)


def test_one_sample_comes_with_all_that_speaks_about_it(client: httpx.Client, planted: Any) -> None:
    for index in (0, 7, 59):
        detail = client.get(f"/api/runs/{planted.run_id}/samples/{index}").json()
        assert (detail["width"], detail["height"]) == (20, 12)
        assert np.allclose(detail["loss_by_epoch"], planted.history["loss"][:, index], rtol=1e-3)
        assert np.allclose(detail["margin_by_epoch"], planted.history["margin"][:, index], rtol=1e-3)
        assert detail["first_epochs"] == [1]
        assert detail["prediction_by_epoch"] == planted.history["prediction"][:, index].tolist()
        assert [near["index"] for near in detail["neighbours"]] == planted.neighbour_NK[index].tolist()
        assert [near["given_label"] for near in detail["neighbours"]] == [
            planted.given_N[near] for near in planted.neighbour_NK[index]
        ]
        assert all(0 <= near["distance"] <= 2 for near in detail["neighbours"])
        best = np.argsort(-planted.probability_NC[index], kind="stable")
        assert [one["label"] for one in detail["likely"]] == best.tolist()
        assert any(sentence.startswith("Loss ") for sentence in detail["why"])
        assert any("nearest neighbours" in sentence for sentence in detail["why"])
        assert any("of the last 5 epochs" in sentence for sentence in detail["why"])


def test_a_sample_that_does_not_exist_is_404(client: httpx.Client, planted: Any) -> None:
    for address in (
        f"/api/runs/{planted.run_id}/samples/60",
        f"/api/datasets/{planted.dataset_id}/samples/60/thumbnail",
        f"/api/datasets/{planted.dataset_id}/samples/60/image",
    ):
        assert client.get(address).status_code == 404
    assert client.get(f"/api/runs/{planted.run_id}/samples/{2**31}").status_code == 422


def test_images_are_encoded_anew_and_kept_for_ever(client: httpx.Client, planted: Any) -> None:
    for kind in ("thumbnail", "image"):
        answer = client.get(f"/api/datasets/{planted.dataset_id}/samples/9/{kind}")
        assert answer.headers["Content-Type"] == "image/webp"
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Content-Encoding" not in answer.headers
    shown = Image.open(io.BytesIO(answer.content))
    assert (shown.format, shown.size, shown.getpixel((5, 5))) == ("WEBP", (20, 12), (36, 100, 200))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "size", "colour"),
    [
        (encoded(Image.new("RGB", (3000, 1500), "red"), "JPEG"), (1024, 512), (254, 0, 0)),
        (encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG"), (4, 4), (255, 255, 255)),
        (encoded(Image.new("I;16", (4, 4), 0x8000), "PNG"), (4, 4), (128, 128, 128)),
        (encoded(Image.new("CMYK", (4, 4), (0, 0, 0, 0)), "TIFF"), (4, 4), (255, 255, 255)),
        (encoded(Image.new("L", (6, 3), 77), "PNG"), (6, 3), (77, 77, 77)),
    ],
)
def test_whatever_the_import_takes_can_be_shown(
    data: bytes, size: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    shown = Image.open(io.BytesIO(viewable(data, 50_000_000)))
    assert (shown.format, shown.size) == ("WEBP", size)
    pixel = shown.convert("RGB").getpixel((1, 1))
    assert isinstance(pixel, tuple)
    assert np.abs(np.subtract(pixel, colour)).max() <= 3


def test_a_photograph_taken_upright_is_shown_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("RGB", (40, 20), "green"), "JPEG", exif=exif)
    assert Image.open(io.BytesIO(viewable(data, 1000))).size == (20, 40)


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"<html>", encoded(Image.new("L", (99, 99)), "PNG")[:-30]])
def test_what_is_no_sound_image_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="cannot be shown"):
        viewable(data, 50_000_000)


def test_an_image_over_the_limit_is_never_decoded() -> None:
    with pytest.raises(BadInput):
        viewable(encoded(Image.new("1", (2000, 2000)), "PNG"), 1_000_000)


def test_decisions_show_in_the_pages_the_counts_and_the_history(client: httpx.Client, planted: Any) -> None:
    answer = decide(
        client,
        planted.dataset_id,
        {"index": 1, "verdict": "relabel", "label": 2},
        {"index": 2, "verdict": "keep"},
        {"index": 3, "verdict": "unsure"},
        run_id=planted.run_id,
    )
    assert answer.json() == {"recorded": 3, "counts": {"relabel": 1, "keep": 1, "unsure": 1}}
    decide(client, planted.dataset_id, {"index": 2, "verdict": "cleared"})
    assert client.get(f"/api/datasets/{planted.dataset_id}/decisions").json() == {
        "counts": {"relabel": 1, "unsure": 1}
    }
    items, _ = pages(client, planted.run_id, verdict="relabel")
    assert [(item["index"], item["decision"]["label"]) for item in items] == [(1, 2)]
    assert items[0]["decision"]["account"] == "local"
    unreviewed, total = pages(client, planted.run_id, verdict="none")
    assert total == 58
    assert {1, 3}.isdisjoint(item["index"] for item in unreviewed)
    detail = client.get(f"/api/runs/{planted.run_id}/samples/2").json()
    assert detail["decision"] is None
    assert [one["verdict"] for one in detail["history"]] == ["keep", "cleared"]
    assert client.get(f"/api/datasets/{planted.dataset_id}").json()["decided"] == 2


def test_the_same_key_again_changes_nothing_and_answers_the_same_counts(
    client: httpx.Client, planted: Any
) -> None:
    item = {"index": 4, "verdict": "remove"}
    first = decide(client, planted.dataset_id, item, idempotency_key="once-only")
    second = decide(client, planted.dataset_id, item, idempotency_key="once-only")
    assert (first.json()["recorded"], second.json()["recorded"]) == (1, 0)
    assert second.json()["counts"] == first.json()["counts"]


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([{"index": 60, "verdict": "keep"}], "SAMPLE_UNKNOWN"),
        ([{"index": 10**30, "verdict": "keep"}], "SAMPLE_UNKNOWN"),
        ([{"index": 1, "verdict": "relabel"}], "LABEL_MISSING"),
        ([{"index": 1, "verdict": "keep", "label": 1}], "LABEL_MISSING"),
        ([{"index": 1, "verdict": "relabel", "label": 3}], "LABEL_UNKNOWN"),
        ([{"index": 1, "verdict": "keep"}, {"index": 1, "verdict": "remove"}], "DUPLICATE_SAMPLE"),
        ([{"index": 1, "verdict": "maybe"}], "INVALID"),
    ],
)
def test_one_impossible_decision_refuses_all_of_them(
    client: httpx.Client, planted: Any, items: list[dict[str, Any]], code: str
) -> None:
    answer = decide(client, planted.dataset_id, {"index": 0, "verdict": "keep"}, *items)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert client.get(f"/api/datasets/{planted.dataset_id}/decisions").json() == {"counts": {}}


def test_no_decision_at_all_is_no_request(client: httpx.Client, planted: Any) -> None:
    assert decide(client, planted.dataset_id).json()["item"] == "items"


def test_an_unfinished_run_has_no_samples_yet(client: httpx.Client, ready_dataset: Make) -> None:
    run_id = client.post(f"/api/datasets/{ready_dataset()}/runs", json={}).json()["id"]
    answer = client.get(f"/api/runs/{run_id}/samples")
    assert (answer.status_code, answer.json()["code"], answer.json()["found"]) == (
        409,
        "WRONG_STATUS",
        "queued",
    )


def test_results_without_their_files_still_show_what_is_known(
    client: httpx.Client, planted: Any, artifacts: Any
) -> None:
    artifacts.delete(f"runs/{planted.run_id}/")
    detail = client.get(f"/api/runs/{planted.run_id}/samples/5").json()
    assert detail["loss_by_epoch"] == detail["neighbours"] == detail["likely"] == []
    assert detail["why"][0].startswith("Loss ")
