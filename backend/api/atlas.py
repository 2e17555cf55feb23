"""Many thumbnails in one picture: a page of the gallery costs one request."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from PIL import Image, ImageDraw

from backend.api.context import Id, In, Me
from backend.api.samples import FOREVER, pack
from backend.api.viewing import FORMATS

router = APIRouter(prefix="/api", tags=["samples"])

COLUMNS = 12
TILES = 96
QUALITY = 88
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}, "description": "the tiles"}}

Indices = Annotated[
    str,
    Query(
        max_length=TILES * 11,
        pattern=rf"^[0-9]{{1,10}}(,[0-9]{{1,10}}){{0,{TILES - 1}}}$",
        description="at most 96 sample indices with commas between them",
    ),
]


@router.get("/datasets/{dataset_id}/atlas", response_class=Response, responses=_JPEG)
def get_atlas(
    dataset_id: Id,
    context: In,
    caller: Me,
    indices: Indices,
    side: Annotated[int, Query(ge=32, le=256, description="of a cell, pixels")] = 128,
    ground: Annotated[str, Query(pattern="^[0-9a-fA-F]{6}$", description="colour behind, rrggbb")] = "ffffff",
) -> Response:
    """The samples' thumbnails in cells, 12 to a row, in the order asked for; each whole, in the middle of its cell.

    Images smaller than half a cell are enlarged by a whole factor without smoothing.
    """
    wanted = [int(index) for index in indices.split(",")]
    thumbnails = pack(context, caller, dataset_id, "thumbs").read_each(wanted)
    kept = "no-store" if None in thumbnails else FOREVER
    return Response(atlas(thumbnails, side, ground), media_type="image/jpeg", headers={"Cache-Control": kept})


def atlas(thumbnails: Sequence[bytes | None], side: int, ground: str) -> bytes:
    """A JPEG of 12 · `side` by rows · `side` pixels; cells that no thumbnail fills show the ground.

    None stands for a thumbnail that was damaged where it is stored: its cell is crossed out.
    """
    sheet = Image.new("RGB", (COLUMNS * side, -(-len(thumbnails) // COLUMNS) * side), f"#{ground}")
    for place, data in enumerate(thumbnails):
        tile = crossed(side) if data is None else _opened(data, side)
        row, column = divmod(place, COLUMNS)
        corner = (column * side + (side - tile.width) // 2, row * side + (side - tile.height) // 2)
        sheet.paste(tile, corner)
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def crossed(side: int) -> Image.Image:
    """What stands for an image that cannot be shown: grey, crossed out."""
    tile = Image.new("RGB", (side, side), "#8a8a8a")
    draw = ImageDraw.Draw(tile)
    for ends in ((0, 0, side, side), (0, side, side, 0)):
        draw.line(ends, fill="#5a5a5a", width=max(1, side // 32))
    return tile


def _opened(data: bytes, side: int) -> Image.Image:
    return _fitted(Image.open(io.BytesIO(data), formats=FORMATS).convert("RGB"), side)


def _fitted(image: Image.Image, side: int) -> Image.Image:
    longer = max(image.size)
    if longer == side:
        return image
    if longer * 2 < side:
        factor = side // longer
        return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    size = (max(1, image.width * side // longer), max(1, image.height * side // longer))
    return image.resize(size, Image.Resampling.BICUBIC)
