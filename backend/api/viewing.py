"""An original image → what a browser is shown: decoded and encoded anew, never the bytes that came. Pure."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from backend.audit.errors import BadInput

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""Those that the import takes; nothing else is even tried."""
LONGEST_SIDE = 1024
EXACT_SIDE = 256
"""Up to here nothing is lost: small images are looked at enlarged."""
QUALITY = 88


def viewable(data: bytes, pixel_limit: int) -> bytes:
    """WebP, upright, on white, its longer side at most 1024 pixels. Raises BadInput (IMAGE_CORRUPT)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _encoded(data, pixel_limit)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
        IndexError,
        TypeError,
        Warning,
    ) as error:
        raise BadInput("IMAGE_CORRUPT", "This image cannot be shown.") from error


def _encoded(data: bytes, pixel_limit: int) -> bytes:
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    if image.width * image.height > pixel_limit:
        raise ValueError("larger than the limit")
    # A JPEG can be decoded at a fraction of its size; this also leaves enough for the final resize.
    image.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):
        upright = upright.point(lambda value: value * (1 / 256)).convert("L")
    if upright.has_transparency_data:
        clear = upright.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        upright = Image.alpha_composite(white, clear)
    plain = upright.convert("RGB")
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    if max(plain.size) <= EXACT_SIDE:
        plain.save(file, "WEBP", lossless=True, quality=50, method=2)
    else:
        plain.save(file, "WEBP", quality=QUALITY, method=2)
    return file.getvalue()
