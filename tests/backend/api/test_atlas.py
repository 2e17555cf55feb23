"""The atlas: each thumbnail whole, in its own cell, in the order asked for."""

from __future__ import annotations

import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from backend.api.atlas import COLUMNS, atlas


def png(width: int, height: int, colour: Any = (200, 30, 30)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def read(data: bytes) -> np.ndarray[Any, np.dtype[np.int16]]:
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    return np.asarray(image).astype(np.int16)


def extent(sheet: np.ndarray[Any, Any], place: int, side: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is not ground (black) in a cell."""
    row, column = divmod(place, COLUMNS)
    cell = sheet[row * side : (row + 1) * side, column * side : (column + 1) * side]
    ys, xs = np.nonzero(cell.max(axis=2) > 100)
    return int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1


@pytest.mark.parametrize(
    ("size", "drawn"),
    [
        ((128, 128), (0, 0, 128, 128)),
        ((256, 128), (0, 32, 128, 64)),
        ((100, 50), (0, 32, 128, 64)),
        ((28, 28), (8, 8, 112, 112)),
        ((32, 16), (0, 32, 128, 64)),
        ((1, 1), (0, 0, 128, 128)),
        ((400, 1), (0, 63, 128, 1)),
    ],
)
def test_an_image_is_whole_in_the_middle_of_its_cell(
    size: tuple[int, int], drawn: tuple[int, int, int, int]
) -> None:
    sheet = read(atlas([png(*size, (255, 255, 255))], 128, "000000"))
    assert sheet.shape == (128, 12 * 128, 3)
    assert np.abs(np.subtract(extent(sheet, 0, 128), drawn)).max() <= 1


def test_a_small_image_is_enlarged_without_smoothing() -> None:
    board = Image.fromarray((np.indices((8, 8)).sum(axis=0) % 2 * 255).astype(np.uint8))
    file = io.BytesIO()
    board.save(file, "PNG")
    cell = read(atlas([file.getvalue()], 128, "000000"))[:, :128, 0]
    blocks = cell.reshape(8, 16, 8, 16)[:, 4:-4, :, 4:-4]
    assert (np.ptp(blocks, axis=(1, 3)) < 40).all()
    assert np.array_equal(blocks.mean(axis=(1, 3)) > 128, np.asarray(board) > 128)


def test_cells_follow_each_other_twelve_to_a_row_on_the_ground_asked_for() -> None:
    colours = [(place * 19, 0, 255 - place * 19) for place in range(13)]
    sheet = read(atlas([png(64, 64, colour) for colour in colours], 64, "0a7f0a"))
    assert sheet.shape == (128, 768, 3)
    for place, colour in enumerate(colours):
        row, column = divmod(place, 12)
        assert np.abs(sheet[row * 64 + 32, column * 64 + 32] - colour).max() < 12
    assert np.abs(sheet[96, 400] - (10, 127, 10)).max() < 6


def test_the_samples_asked_for_come_in_their_order_and_are_kept_for_ever(
    client: httpx.Client, planted: Any
) -> None:
    answer = client.get(
        f"/api/datasets/{planted.dataset_id}/atlas",
        params={"indices": "59,3,3", "side": 40, "ground": "ffffff"},
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert "immutable" in answer.headers["Cache-Control"]
    sheet = read(answer.content)
    assert sheet.shape == (40, 480, 3)
    for place, index in enumerate((59, 3, 3)):
        assert np.abs(sheet[20, place * 40 + 20] - (index * 4, 100, 200)).max() < 12


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"indices": "60"}, 404),
        ({"indices": "4000000000"}, 404),
        ({"indices": ",".join(["1"] * 97)}, 422),
        ({"indices": ""}, 422),
        ({"indices": "1,,2"}, 422),
        ({"indices": "-1"}, 422),
        ({"indices": "١"}, 422),
        ({"indices": "1", "side": 31}, 422),
        ({"indices": "1", "side": 257}, 422),
        ({"indices": "1", "ground": "red"}, 422),
        ({}, 422),
    ],
)
def test_what_is_no_atlas_is_refused(
    client: httpx.Client, planted: Any, query: dict[str, Any], status: int
) -> None:
    answer = client.get(f"/api/datasets/{planted.dataset_id}/atlas", params=query)
    assert answer.status_code == status
    assert answer.json()["code"] in ("SAMPLE_UNKNOWN", "INVALID")
