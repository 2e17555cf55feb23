"""Shifts and flips move pixels and nothing else."""

from __future__ import annotations

import numpy as np
import torch

from worker.training.augmentation import augmented, normalised, resized
from worker.training.plan import drawn

IMAGE_BHWC = torch.randint(
    1, 256, (64, 9, 7, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)


def choices(pad: int, flip: bool, images: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    plan = drawn(0, 1, images, 1, pad=pad, flip=flip, mixup_alpha=None)
    return torch.from_numpy(plan.shift_N2), torch.from_numpy(plan.mirrored_N)


def test_every_result_is_a_shifted_and_perhaps_mirrored_copy() -> None:
    out_BHWC = augmented(IMAGE_BHWC, 2, *choices(2, True)).numpy()
    seen = set()
    for image, out in zip(IMAGE_BHWC.numpy(), out_BHWC, strict=True):
        candidates = {}
        for mirrored in (False, True):
            padded = np.pad(image[:, ::-1] if mirrored else image, ((2, 2), (2, 2), (0, 0)))
            for dy in range(5):
                for dx in range(5):
                    candidates[dy, dx, mirrored] = padded[dy : dy + 9, dx : dx + 7]
        matches = [key for key, value in candidates.items() if np.array_equal(value, out)]
        assert matches
        seen.add(matches[0])
    assert {key[0] for key in seen} == set(range(5))
    assert {key[1] for key in seen} == set(range(5))
    assert {key[2] for key in seen} == {False, True}


def test_nothing_happens_when_nothing_is_asked() -> None:
    assert torch.equal(augmented(IMAGE_BHWC, 0, *choices(0, False)), IMAGE_BHWC)


def test_without_flips_no_image_is_mirrored() -> None:
    ramp_BHWC = torch.arange(1, 9, dtype=torch.uint8).view(1, 1, 8, 1).expand(50, 8, 8, 1)
    out_BHWC = augmented(ramp_BHWC, 1, *choices(1, False, 50)).int()
    inner_BHW = out_BHWC[:, 1:-1, 1:-1, 0]
    assert (inner_BHW[:, :, 1:] > inner_BHW[:, :, :-1]).all()


def test_images_are_stretched_to_the_asked_side_without_aliasing() -> None:
    checks_BHWC = (torch.arange(64)[:, None] + torch.arange(64)).remainder(2).mul(255).to(torch.uint8)
    small_BHWC = resized(checks_BHWC.view(1, 64, 64, 1), 16)
    assert small_BHWC.shape == (1, 16, 16, 1)
    assert small_BHWC.dtype == torch.uint8
    # A fine checkerboard becomes grey; without antialiasing it would stay black, white or striped.
    assert ((small_BHWC.int() - 128).abs() <= 2).all()
    assert resized(IMAGE_BHWC, 12).shape == (64, 12, 12, 3)
    flat_BHWC = torch.full((2, 5, 9, 3), 77, dtype=torch.uint8)
    assert (resized(flat_BHWC, 32) == 77).all()


def test_normalised_images_are_standardised_with_channels_first() -> None:
    mean_C, deviation_C = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 8.0])
    out_BCHW = normalised(IMAGE_BHWC, mean_C, deviation_C)
    assert out_BCHW.shape == (64, 3, 9, 7)
    assert out_BCHW.is_contiguous(memory_format=torch.channels_last)
    assert float(out_BCHW[5, 2, 4, 1]) == (float(IMAGE_BHWC[5, 4, 1, 2]) - 3.0) / 8.0
