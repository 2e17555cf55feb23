"""What becomes of each kind of image, good and bad, in the sandboxed decoder."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from worker.ingest.decoder import CONVERSIONS, Decoded
from worker.ingest.decoding import Allowance, DecoderPool, Unreadable

ALLOWANCE = Allowance(image_pixels=50_000_000)


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(ALLOWANCE, 1) as pool:
        yield pool


def encoded(image: Image.Image, format: str = "PNG", **save: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **save)
    return out.getvalue()


def noise(mode: str, size: tuple[int, int] = (20, 10)) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    data = np.random.default_rng(0).integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
    return Image.frombytes(mode, size, data.tobytes())


def decoded(pool: DecoderPool, data: bytes) -> tuple[Decoded, set[str]]:
    (outcome,) = pool.submit([data]).result()
    assert isinstance(outcome, Decoded), outcome
    return outcome, {name for place, name in enumerate(CONVERSIONS) if outcome.conversions >> place & 1}


def code(pool: DecoderPool, data: bytes) -> str:
    (outcome,) = pool.submit([data]).result()
    assert isinstance(outcome, Unreadable), outcome
    return outcome.code


def pixels(outcome: Decoded) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.frombuffer(outcome.pixels, dtype=np.uint8).reshape(outcome.pixel_shape)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "BMP", "TIFF"])
def test_small_images_keep_their_exact_pixels(pool: DecoderPool, format: str) -> None:
    image = noise("RGB")

    outcome, done = decoded(pool, encoded(image, format, **({"lossless": True} if format == "WEBP" else {})))

    assert (outcome.width, outcome.height, done) == (20, 10, set())
    np.testing.assert_array_equal(pixels(outcome), np.asarray(image))
    with Image.open(io.BytesIO(outcome.thumbnail)) as thumbnail:
        assert thumbnail.format == "WEBP"
        np.testing.assert_array_equal(np.asarray(thumbnail), np.asarray(image))


@pytest.mark.parametrize("format", ["JPEG", "GIF"])
def test_lossy_formats_are_read_as_pillow_reads_them(pool: DecoderPool, format: str) -> None:
    data = encoded(noise("RGB"), format)

    outcome, _ = decoded(pool, data)

    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(pixels(outcome), np.asarray(image.convert("RGB")))


def test_large_images_are_fitted_to_a_square_and_a_thumbnail(pool: DecoderPool) -> None:
    image = Image.new("RGB", (1200, 600), (10, 200, 30))
    image.paste((250, 0, 0), (0, 0, 290, 600))  # the quarter that the centre square leaves out

    for format in ("PNG", "JPEG"):
        outcome, _ = decoded(pool, encoded(image, format))

        assert (outcome.width, outcome.height, outcome.pixel_shape) == (1200, 600, (64, 64, 3))
        assert np.abs(pixels(outcome).astype(int) - (10, 200, 30)).max() < 8
        with Image.open(io.BytesIO(outcome.thumbnail)) as thumbnail:
            assert thumbnail.size == (128, 64)


def test_a_long_strip_has_pixels_and_a_thumbnail_too(pool: DecoderPool) -> None:
    outcome, _ = decoded(pool, encoded(noise("RGB", (3000, 2))))

    assert (outcome.width, outcome.height, outcome.pixel_shape) == (3000, 2, (64, 64, 3))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_rotated_photographs_are_turned_upright(pool: DecoderPool, orientation: int, format: str) -> None:
    upright = Image.new("RGB", (48, 32), (0, 0, 255))
    upright.paste((255, 0, 0), (0, 0, 24, 16))  # the upper left quarter
    inverse = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if inverse is None else upright.transpose(inverse)
    exif = Image.Exif()
    exif[0x0112] = orientation

    outcome, done = decoded(pool, encoded(stored, format, exif=exif))

    assert (outcome.width, outcome.height) == (48, 32)
    assert done == ({"exif_rotated"} if orientation > 1 else set())
    assert np.abs(pixels(outcome)[4:12, 4:20].astype(int) - (255, 0, 0)).max() < 40
    assert np.abs(pixels(outcome)[20:28, 28:44].astype(int) - (0, 0, 255)).max() < 40


def test_a_large_rotated_photograph_has_its_upright_size(pool: DecoderPool) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    outcome, _ = decoded(pool, encoded(noise("RGB", (1600, 800)), "JPEG", exif=exif))

    assert (outcome.width, outcome.height) == (800, 1600)


def test_transparent_parts_become_white(pool: DecoderPool) -> None:
    image = Image.new("RGBA", (8, 8), (200, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 4, 8))

    outcome, done = decoded(pool, encoded(image))

    assert done == {"alpha"}
    assert pixels(outcome)[0, 0].tolist() == [255, 255, 255]
    assert pixels(outcome)[0, 7].tolist() == [200, 0, 0]


def test_transparent_palettes_become_white(pool: DecoderPool) -> None:
    image = noise("RGB").quantize(8)

    outcome, done = decoded(pool, encoded(image, transparency=0))

    assert done == {"alpha", "palette"}
    assert (pixels(outcome)[np.asarray(image) == 0] == 255).all()


def test_cmyk_becomes_rgb(pool: DecoderPool) -> None:
    outcome, done = decoded(pool, encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF"))

    assert done == {"cmyk"}
    assert pixels(outcome)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_high_byte(pool: DecoderPool, format: str) -> None:
    deep = np.arange(200, dtype=np.uint16).reshape(10, 20) * 300

    outcome, done = decoded(pool, encoded(Image.fromarray(deep), format))

    assert done == {"sixteen_bit", "grey"}
    assert outcome.pixel_shape == (10, 20, 1)
    np.testing.assert_array_equal(pixels(outcome)[:, :, 0], deep >> 8)


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG of raw rows, for what Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    head = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_sixteen_bit_colour_is_reported(pool: DecoderPool) -> None:
    row = b"\x00" + struct.pack(">3H", 0xC8FF, 0x1000, 0x0203) * 4

    outcome, done = decoded(pool, png(4, 2, 16, 2, row * 2))

    assert done == {"sixteen_bit"}
    assert np.abs(pixels(outcome)[0, 0].astype(int) - (0xC8, 0x10, 0x02)).max() <= 1


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_grey_images_have_one_channel(pool: DecoderPool, mode: str) -> None:
    image = noise("L").convert(mode)

    outcome, done = decoded(pool, encoded(image))

    assert "grey" in done
    assert outcome.pixel_shape == (10, 20, 1)
    np.testing.assert_array_equal(pixels(outcome)[:, :, 0], np.asarray(image.convert("L")))


def test_grey_stored_as_colour_has_one_channel(pool: DecoderPool) -> None:
    assert decoded(pool, encoded(noise("L").convert("RGB")))[0].pixel_shape == (10, 20, 1)


def test_a_photograph_with_broken_metadata_is_still_a_photograph(pool: DecoderPool) -> None:
    broken = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x05\x00\x12\x01\x03\x00\xff\xff\xff\xff\x00\x00"

    assert decoded(pool, encoded(noise("RGB"), "JPEG", exif=broken))[0].width == 20


def test_the_first_picture_of_a_multi_picture_photograph_is_taken(pool: DecoderPool) -> None:
    first = Image.new("RGB", (16, 16), (255, 0, 0))
    data = encoded(first, "MPO", save_all=True, append_images=[Image.new("RGB", (16, 16), (0, 0, 255))])

    outcome, done = decoded(pool, data)

    assert done == {"multi_picture"}
    assert np.abs(pixels(outcome).astype(int) - (255, 0, 0)).max() < 8


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        b"<!doctype html><script>alert(1)</script>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"8BPS\x00\x01" + bytes(40),
        b"SIMPLE  =                    T" + b" " * 60,
        b"words",
    ],
    ids=["SVG", "HTML", "EPS", "PSD", "FITS", "text"],
)
def test_other_formats_are_refused(pool: DecoderPool, data: bytes) -> None:
    assert code(pool, data) == "IMAGE_FORMAT"


@pytest.mark.parametrize("format", ["PPM", "ICO", "JPEG2000", "PCX", "TGA"])
def test_formats_that_pillow_knows_and_we_do_not_are_refused(pool: DecoderPool, format: str) -> None:
    assert code(pool, encoded(noise("RGB", (16, 16)), format)) == "IMAGE_FORMAT"


def test_floating_point_pixels_are_refused(pool: DecoderPool) -> None:
    assert code(pool, encoded(Image.new("F", (4, 4), 0.5), "TIFF")) == "IMAGE_FORMAT"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
@pytest.mark.parametrize("kept", [0.02, 0.6, 0.9])
def test_cut_images_are_corrupt(pool: DecoderPool, format: str, kept: float) -> None:
    data = encoded(noise("RGB", (90, 90)), format)

    assert code(pool, data[: max(12, int(kept * len(data)))]) == "IMAGE_CORRUPT"


def test_an_empty_file_is_corrupt(pool: DecoderPool) -> None:
    assert code(pool, b"") == "IMAGE_CORRUPT"


def test_a_png_with_a_wrong_checksum_is_corrupt(pool: DecoderPool) -> None:
    data = bytearray(encoded(noise("RGB")))
    data[data.index(b"IDAT") + 20] ^= 0xFF

    assert code(pool, bytes(data)) == "IMAGE_CORRUPT"


def test_a_header_of_billions_of_pixels_is_too_large(pool: DecoderPool) -> None:
    (outcome,) = pool.submit([png(60_000, 60_000, 8, 2, b"")]).result()

    assert outcome == Unreadable("IMAGE_TOO_LARGE", 60_000, 60_000)


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_several_frames_or_pages_are_refused(pool: DecoderPool, format: str) -> None:
    frames = [noise("RGB").rotate(turn) for turn in (0, 90, 180)]

    assert (
        code(pool, encoded(frames[0], format, save_all=True, append_images=frames[1:])) == "IMAGE_MULTIFRAME"
    )


def test_a_text_bomb_in_a_png_is_corrupt(pool: DecoderPool) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("bomb", "A" * (80 << 20), zip=True)

    assert code(pool, encoded(noise("RGB"), pnginfo=info)) == "IMAGE_CORRUPT"


def endless_jpeg() -> bytes:
    """A progressive JPEG of 58 kB whose last scan, over 4 megapixels, is there three thousand times."""
    data = encoded(Image.new("L", (2000, 2000), 128), "JPEG", progressive=True, quality=50)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * 3000 + data[-2:]


def test_a_decoder_that_runs_on_and_on_costs_its_image_only() -> None:
    good = encoded(noise("RGB"))
    started = time.monotonic()
    with DecoderPool(Allowance(image_pixels=50_000_000, cpu_seconds=1), 1) as pool:
        first, endless, last = pool.submit([good, endless_jpeg(), good]).result()

    assert endless == Unreadable("IMAGE_TIMEOUT")
    assert isinstance(first, Decoded)
    assert first == last
    assert time.monotonic() - started < 30


def test_a_decoder_that_hangs_costs_its_image_only() -> None:
    good = encoded(noise("RGB"))
    with DecoderPool(Allowance(image_pixels=50_000_000, wall_seconds=1.0), 1) as pool:
        first, endless, last = pool.submit([good, endless_jpeg(), good]).result()

    assert endless == Unreadable("IMAGE_TIMEOUT")
    assert isinstance(first, Decoded)
    assert first == last


def test_a_decoder_without_enough_memory_says_so() -> None:
    good, large = encoded(noise("RGB")), encoded(Image.new("RGB", (7000, 7000)))
    with DecoderPool(Allowance(image_pixels=50_000_000, memory_bytes=150_000_000), 1) as pool:
        outcomes = pool.submit([good, large, good]).result()

    assert [getattr(outcome, "code", "decoded") for outcome in outcomes] == [
        "decoded",
        "IMAGE_TOO_LARGE",
        "decoded",
    ]


def test_closing_the_pool_ends_the_image_at_work() -> None:
    pool = DecoderPool(ALLOWANCE, 1)
    pending = pool.submit([endless_jpeg()])
    time.sleep(0.5)
    started = time.monotonic()

    pool.close()

    assert time.monotonic() - started < 2
    with pytest.raises(RuntimeError, match="closed"):
        pending.result()
