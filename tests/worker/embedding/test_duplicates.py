"""Nearly equal images are found among many, and others are left alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from sklearn.datasets import load_sample_images

from worker.embedding.duplicates import alike, candidates, groups, hashes

SIDE = 32
PATCHES = 600


@pytest.fixture(scope="module")
def patches() -> NDArray[np.uint8]:
    """Parts of two photographs as training pixels; no plain sky, which looks alike everywhere."""
    rng = np.random.default_rng(0)
    photographs = load_sample_images().images
    found = []
    for number in range(20_000):
        photograph, size = photographs[number % 2], int(rng.integers(48, 128))
        top, left = rng.integers(0, 427 - size), rng.integers(0, 640 - size)
        part = Image.fromarray(photograph[top : top + size, left : left + size])
        pixels = np.asarray(part.resize((SIDE, SIDE)))
        if pixels.mean(axis=2).std() > 45 and len(found) < PATCHES:
            found.append(pixels)
    return np.stack(found)


def pairs(image_NHWC: NDArray[np.uint8]) -> set[tuple[int, int]]:
    pair_P2 = candidates(hashes(image_NHWC))
    return {(int(a), int(b)) for a, b in pair_P2[alike(image_NHWC, pair_P2)]}


def compressed(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=70)
    return Image.open(file)


CHANGES = {
    "nothing": (lambda image: image, 1.0),
    "compression": (compressed, 0.8),
    "brightness": (lambda image: ImageEnhance.Brightness(image).enhance(1.08), 0.95),
    "scaling": (lambda image: image.resize((24, 24)).resize((SIDE, SIDE)), 0.95),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_among_many(patches: NDArray[np.uint8], change: str) -> None:
    alter, least = CHANGES[change]
    copies = np.stack([np.asarray(alter(Image.fromarray(image))) for image in patches[:300]])
    found = pairs(np.concatenate([patches, copies]))
    assert np.mean([(number, PATCHES + number) in found for number in range(300)]) >= least


def test_different_pictures_are_left_alone(patches: NDArray[np.uint8]) -> None:
    # Places overlap by chance; a few of the 180 000 pairs are really nearly the same.
    assert len(pairs(patches)) < 30


def test_what_is_close_by_hash_is_what_a_slow_comparison_finds() -> None:
    rng = np.random.default_rng(1)
    hash_N = rng.integers(0, 2**63, 300, dtype=np.uint64)
    for number in range(100):
        flips = rng.choice(63, 3, replace=False)
        hash_N[200 + number] = hash_N[number] ^ np.bitwise_or.reduce(np.uint64(1) << flips.astype(np.uint64))
    found = {(int(a), int(b)) for a, b in candidates(hash_N)}
    close = {
        (a, b) for a in range(300) for b in range(a + 1, 300) if int(hash_N[a] ^ hash_N[b]).bit_count() <= 3
    }
    assert close <= found
    assert len(close) == 100


def test_a_crowd_of_plain_images_costs_no_square_of_pairs() -> None:
    plain = np.full((3000, 8, 8, 1), 200, np.uint8)
    found = candidates(hashes(plain))
    assert len(found) < 3000 * 65
    joined = groups(found[alike(plain, found)], 3000)
    assert joined.begin_G1.tolist() == [0, 3000]


def test_groups_are_what_pairs_connect() -> None:
    found = groups(np.array([[5, 9], [1, 2], [2, 7], [5, 9]]), 10)
    assert found.member_M.tolist() == [1, 2, 7, 5, 9]
    assert found.begin_G1.tolist() == [0, 3, 5]
    assert groups(np.empty((0, 2), np.int64), 4).begin_G1.tolist() == [0]


def test_no_images_have_no_pairs() -> None:
    assert candidates(hashes(np.empty((0, 8, 8, 1), np.uint8))).shape == (0, 2)
