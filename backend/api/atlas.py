"""Many thumbnails in one picture: a page of the gallery costs one request."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from PIL import Image

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
    thumbnails = pack(context, caller, dataset_id, "thumbs").read_many(wanted)
    return Response(
        atlas(thumbnails, side, ground), media_type="image/jpeg", headers={"Cache-Control": FOREVER}
    )


def atlas(thumbnails: Sequence[bytes], side: int, ground: str) -> bytes:
    """A JPEG of 12 · `side` by rows · `side` pixels; cells that no thumbnail fills show the ground."""
    sheet = Image.new("RGB", (COLUMNS * side, -(-len(thumbnails) // COLUMNS) * side), f"#{ground}")
    for place, data in enumerate(thumbnails):
        tile = _fitted(Image.open(io.BytesIO(data), formats=FORMATS).convert("RGB"), side)
        row, column = divmod(place, COLUMNS)
        corner = (column * side + (side - tile.width) // 2, row * side + (side - tile.height) // 2)
        sheet.paste(tile, corner)
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _fitted(image: Image.Image, side: int) -> Image.Image:
    longer = max(image.size)
    if longer == side:
        return image
    if longer * 2 < side:
        factor = side // longer
        return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    size = (max(1, image.width * side // longer), max(1, image.height * side // longer))
    return image.resize(size, Image.Resampling.BICUBIC)
