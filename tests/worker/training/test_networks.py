"""The networks: the paper's size, any input, weights from a given generator."""

from __future__ import annotations

import pytest
import torch

from worker.training.networks import AuditNet, MissingBackbone, PreActBlock, PreActResNet, built, initialise
from worker.training.recipes import recipe


def test_width_64_is_the_papers_network() -> None:
    network = PreActResNet(10)
    assert sum(each.numel() for each in network.parameters()) == pytest.approx(11.17e6, rel=1e-3)
    assert network.head.in_features == 512


@pytest.mark.parametrize(("size", "channels"), [(1, 1), (8, 1), (17, 3), (28, 1), (32, 3), (64, 4)])
def test_any_image_size_and_number_of_channels_is_read(size: int, channels: int) -> None:
    for network, features in ((PreActResNet(7, channels, width=4), 32), (AuditNet(7, channels, width=8), 32)):
        network.eval()
        image_BCHW = torch.rand(2, channels, size, size + 3)
        assert network(image_BCHW).shape == (2, 7)
        assert network.features(image_BCHW).shape == (2, features)
        assert torch.equal(network.head(network.features(image_BCHW)), network(image_BCHW))


def test_the_recipe_names_its_network() -> None:
    generator = torch.Generator().manual_seed(0)
    assert isinstance(built(recipe("fast"), 3, 1, generator), AuditNet)
    assert isinstance(built(recipe("ce", {"width": 4}), 3, 1, generator), PreActResNet)
    with pytest.raises(MissingBackbone, match="resnet18 comes from torchvision"):
        built(recipe("ce", {"network": "resnet18"}), 3, 1, generator)


def test_weights_come_from_the_generator_alone() -> None:
    first, second, other = (PreActResNet(3, 1, width=4) for _ in range(3))
    for network, seed in ((first, 1), (second, 1), (other, 2)):
        initialise(network, torch.Generator().manual_seed(seed))
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
    assert not torch.equal(first.stem.weight, other.stem.weight)


def test_a_narrow_shortcut_keeps_to_its_memory() -> None:
    """The weight gradient of a strided 1 × 1 convolution of fewer channels than a vector holds was written elsewhere."""
    for channels in (4, 9):
        block = PreActBlock(channels, 2 * channels, stride=2).to(memory_format=torch.channels_last)
        exact = PreActBlock(channels, 2 * channels, stride=2).double()
        exact.load_state_dict(block.state_dict())
        x_BCHW = torch.rand(17, channels, 32, 32).contiguous(memory_format=torch.channels_last)
        block(x_BCHW).square().sum().backward()
        exact(x_BCHW.double()).square().sum().backward()
        assert block.shortcut is not None
        assert exact.shortcut is not None
        got, right = block.shortcut.weight.grad, exact.shortcut.weight.grad
        assert got is not None
        assert right is not None
        torch.testing.assert_close(got.double(), right, rtol=1e-3, atol=1e-3 * float(right.abs().max()))
