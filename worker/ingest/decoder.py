"""Decodes images under limits on time, memory and formats; run as a script it is the sandboxed child.

Knows the standard library and Pillow only: what it reads is hostile, so nothing else is in its address
space, and it never opens a file. Frames on its pipes, little endian:
request   count u32, length u32 × count, the images' bytes
answer    per image `RESULT`, then the pixels (H·W·C bytes), then the thumbnail (WebP)
"""

from __future__ import annotations

import io
import resource
import struct
import sys
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from PIL import (
    BmpImagePlugin,  # noqa: F401  the plug-ins register themselves
    GifImagePlugin,  # noqa: F401
    Image,
    ImageChops,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

PIXEL_SIDE = 64
"""Largest side of the training pixels; larger images are fitted to a square of this side."""
THUMB_SIDE = 128
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
CODES = ("", "IMAGE_FORMAT", "IMAGE_CORRUPT", "IMAGE_TOO_LARGE", "IMAGE_MULTIFRAME")
CONVERSIONS = ("exif_rotated", "alpha", "cmyk", "sixteen_bit", "grey", "palette", "multi_picture")
"""What may have been done to an image; bit i of `conversions` stands for the i-th."""

RESULT = struct.Struct("<BHIIBBBI")
"""Code (0 = decoded), conversions, width, height, then pixel width, height, channels and thumbnail bytes."""
READY = b"decoder ready\n"

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes an image upright, by its EXIF orientation (Pillow's own exif_transpose rewrites broken EXIF too)."""

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")
_DRAFT_SIDE = 256  # a JPEG may be decoded at an eighth of its size, but never below twice the thumbnail


class _Refused(Exception):
    def __init__(self, code: str, width: int = 0, height: int = 0) -> None:
        super().__init__(code)
        self.code, self.width, self.height = code, width, height


@dataclass(frozen=True, slots=True)
class Decoded:
    """One image: its upright size in pixels, training pixels (H, W, C uint8) and a WebP thumbnail."""

    width: int
    height: int
    pixel_shape: tuple[int, int, int]
    pixels: bytes
    thumbnail: bytes
    conversions: int


def fit(image: Image.Image) -> Image.Image:
    """The image's centre square at `PIXEL_SIDE`: shorter side resized with antialiasing, the rest cropped."""
    return ImageOps.fit(image, (PIXEL_SIDE, PIXEL_SIDE), Image.Resampling.LANCZOS)


def decode(data: bytes, pixel_limit: int) -> Decoded:
    """Decodes one image wholly (a header alone proves nothing); raises whatever Pillow raises, or a refusal."""
    Image.MAX_IMAGE_PIXELS = None  # Pillow's own check of the header would not say the size
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    size = image.size
    if size[0] * size[1] > pixel_limit:
        raise _Refused("IMAGE_TOO_LARGE", *size)
    Image.MAX_IMAGE_PIXELS = pixel_limit  # frames and tiles may still claim more than the header
    done: set[str] = set()
    if (
        image.format == "MPO"
    ):  # a camera's JPEG with a preview or a depth map behind it: the first is the photo
        done.add("multi_picture")
    elif getattr(image, "n_frames", 1) > 1:
        raise _Refused("IMAGE_MULTIFRAME", *size)
    if image.format in ("PNG", "TIFF") and ";16" in str(image.tile):
        done.add("sixteen_bit")
    reduced = image.draft(None, (_DRAFT_SIDE, _DRAFT_SIDE)) is not None
    if isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(_ORIENTATION) in _UPRIGHT:
        done.add("exif_rotated")  # Pillow turns these itself while it loads them
    image.load()
    orientation = 1
    with suppress(SyntaxError, ValueError, struct.error, KeyError, TypeError):  # broken EXIF, sound pixels
        orientation = image.getexif().get(_ORIENTATION, 1)
    colour = _plain(image, done)
    if orientation in _UPRIGHT:
        colour = colour.transpose(_UPRIGHT[orientation])
        done.add("exif_rotated")
    if reduced:
        width, height = size if orientation < 5 else size[::-1]
    else:
        width, height = colour.size
    pixel = colour if max(width, height) <= PIXEL_SIDE else fit(colour)
    if pixel.mode == "RGB":
        red, green, blue = pixel.split()
        if (
            not ImageChops.difference(red, green).getbbox()
            and not ImageChops.difference(green, blue).getbbox()
        ):
            pixel = red
    thumbnail = colour
    if max(colour.size) > THUMB_SIDE:
        thumbnail = colour.copy()
        thumbnail.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
    return Decoded(
        width=width,
        height=height,
        pixel_shape=(pixel.height, pixel.width, len(pixel.getbands())),
        pixels=pixel.tobytes(),
        thumbnail=_webp(thumbnail),
        conversions=sum(1 << CONVERSIONS.index(name) for name in done),
    )


def _plain(image: Image.Image, done: set[str]) -> Image.Image:
    """The image as 8-bit L or RGB; transparent parts become white. Notes what it had to do."""
    if image.mode.startswith("I;16"):
        done.update(("sixteen_bit", "grey"))
        high = 0 if image.mode == "I;16B" else 1
        return Image.frombytes("L", image.size, image.tobytes()[high::2])
    if image.mode == "I":
        done.update(("sixteen_bit", "grey"))
        low, high_value = image.getextrema()
        if not isinstance(low, (int, float)) or low < 0 or not high_value <= 65535:  # type: ignore[operator]
            raise _Refused("IMAGE_FORMAT", *image.size)
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "F":  # floating-point pixels have no agreed range
        raise _Refused("IMAGE_FORMAT", *image.size)
    if image.mode == "CMYK":
        done.add("cmyk")
    if image.mode in ("P", "PA"):
        done.add("palette")
    if image.mode in ("1", "L", "LA", "La"):
        done.add("grey")
    if image.has_transparency_data:
        done.add("alpha")
        grey = image.mode in ("1", "L", "LA", "La")
        clear = image.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, clear).convert("L" if grey else "RGB")
    wanted = "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def _webp(image: Image.Image) -> bytes:
    """Small images exactly (they are looked at enlarged), others at a size that keeps a page of them light."""
    out = io.BytesIO()
    if max(image.size) <= PIXEL_SIDE:
        image.save(out, "WEBP", lossless=True, quality=0, method=0)
    else:
        image.save(out, "WEBP", quality=80, method=2)
    return out.getvalue()


def answer(data: bytes, pixel_limit: int) -> bytes:
    """One image's frame of the answer: the decoded image, or the code of what is wrong with it."""
    try:
        decoded = decode(data, pixel_limit)
    except _Refused as refused:
        return _refusal(refused.code, refused.width, refused.height)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        return _refusal("IMAGE_TOO_LARGE")
    except UnidentifiedImageError:
        known = data.startswith(_MAGIC) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP") or not data
        return _refusal("IMAGE_CORRUPT" if known else "IMAGE_FORMAT")
    except Exception:  # noqa: BLE001  Pillow raises anything here, and any of it means a damaged image
        return _refusal("IMAGE_CORRUPT")
    height, width, channels = decoded.pixel_shape
    head = RESULT.pack(
        0,
        decoded.conversions,
        decoded.width,
        decoded.height,
        width,
        height,
        channels,
        len(decoded.thumbnail),
    )
    return head + decoded.pixels + decoded.thumbnail


def _refusal(code: str, width: int = 0, height: int = 0) -> bytes:
    return RESULT.pack(CODES.index(code), 0, width, height, 0, 0, 0, 0)


def _confine(memory_bytes: int) -> None:
    """Takes away what a decoder does not need: memory, files, children, core dumps."""
    warnings.simplefilter("error")
    # A photograph with untidy metadata is still a photograph; every other warning refuses it.
    metadata = r".*EXIF|Metadata Warning|Tag |Palette images with|Image appears to be a malformed MPO"
    warnings.filterwarnings("ignore", message=metadata)
    limits = {"RLIMIT_AS": memory_bytes, "RLIMIT_FSIZE": 0, "RLIMIT_NPROC": 0, "RLIMIT_CORE": 0}
    for name, value in limits.items():
        with suppress(ValueError, OSError, AttributeError):  # not every system has or grants each of them
            resource.setrlimit(getattr(resource, name), (value, value))


def serve(
    requests: BinaryIO, answers: BinaryIO, *, cpu_seconds: int, memory_bytes: int, pixel_limit: int
) -> None:
    """Answers requests until the pipe closes; `cpu_seconds` counts for each image (then SIGXCPU ends us)."""
    _confine(memory_bytes)
    answers.write(READY)
    answers.flush()
    while head := requests.read(4):
        (count,) = struct.unpack("<I", head)
        lengths = struct.unpack(f"<{count}I", requests.read(4 * count))
        images = [requests.read(length) for length in lengths]
        for data in images:
            allowed = int(time.process_time()) + 1 + cpu_seconds
            resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))
            answers.write(answer(data, pixel_limit))
            answers.flush()


if __name__ == "__main__":
    _cpu_seconds, _memory_bytes, _pixel_limit = map(int, sys.argv[1:4])
    serve(
        sys.stdin.buffer,
        sys.stdout.buffer,
        cpu_seconds=_cpu_seconds,
        memory_bytes=_memory_bytes,
        pixel_limit=_pixel_limit,
    )
