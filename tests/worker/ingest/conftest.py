"""Real images and archives, made on the spot."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from backend.settings import Limits
from worker.ingest.importing import import_images
from worker.ingest.opening import opened_source
from worker.ingest.source import Source, Wish
from worker.ingest.writing import Imported

settings.register_profile("long", max_examples=2000)


class Picture(Protocol):
    """Encodes an image of noise that depends on `seed` alone."""

    def __call__(
        self,
        seed: int = 0,
        *,
        mode: str = "RGB",
        size: tuple[int, int] = (12, 12),
        format: str = "PNG",
        **save: Any,
    ) -> bytes: ...


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture(scope="session")
def picture() -> Picture:
    def make(
        seed: int = 0,
        *,
        mode: str = "RGB",
        size: tuple[int, int] = (12, 12),
        format: str = "PNG",
        **save: Any,
    ) -> bytes:
        channels = len(Image.new(mode, (1, 1)).getbands())
        noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
        out = io.BytesIO()
        Image.frombytes(mode, size, noise.tobytes()).save(out, format, **save)
        return out.getvalue()

    return make


@pytest.fixture
def two_classes(picture: Picture) -> dict[str, bytes]:
    """Four small images in two class folders."""
    return {
        f"{label}/{number}.png": picture(10 * place + number)
        for place, label in enumerate(("cat", "dog"))
        for number in (1, 2)
    }


@pytest.fixture
def pack(tmp_path: Path) -> Callable[[Mapping[str, bytes]], Path]:
    """Writes members into a zip beside, not inside, the folder that imports write to."""

    def make(
        members: Mapping[str, bytes], *, name: str = "upload.zip", method: int = zipfile.ZIP_DEFLATED
    ) -> Path:
        folder = tmp_path / "source"
        folder.mkdir(exist_ok=True)
        with zipfile.ZipFile(folder / name, "w", method) as archive:
            for member, data in members.items():
                archive.writestr(member, data)
        return folder / name

    return make


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where imports write; does not exist beforehand."""
    return tmp_path / "out"


@pytest.fixture
def bring(limits: Limits, out: Path) -> Callable[..., Imported]:
    """Opens and imports a path."""

    def make(
        path: Path,
        *,
        split: str = "train",
        format: str = "auto",
        columns: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Imported:
        with opened_source(path, format=format, wish=Wish(split, columns or {}), limits=limits) as source:
            return import_images(source, out, limits=limits, **options)

    return make


@pytest.fixture
def open_source() -> Iterator[Callable[..., Source]]:
    """Recognises a path; what it opened is closed after the test."""
    with ExitStack() as stack:

        def make(
            path: Path,
            *,
            limits: Limits,
            split: str = "train",
            columns: Mapping[str, str] | None = None,
            **options: Any,
        ) -> Source:
            wish = Wish(split, columns or {})
            return stack.enter_context(opened_source(path, wish=wish, limits=limits, **options))

        yield make
