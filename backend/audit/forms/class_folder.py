"""Class folders: `[split/]class/image`, a removed sample left out, a relabelled one in its cleaned class's folder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from backend.audit.forms.archive import Member
from backend.audit.forms.content import Content, one_image
from backend.audit.forms.paths import in_class_folders


def members(content: Content) -> Iterator[Member]:
    """The images, byte for byte as they were delivered."""
    return images(content, in_class_folders(content))


def images(content: Content, paths: list[str]) -> Iterator[Member]:
    """The images under these paths (M)."""
    for place, path in enumerate(paths):
        yield Member(path, int(content.bytes_M[place]), partial(one_image, content, place))
