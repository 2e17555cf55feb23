"""Which forms there are, which of them a dataset came in, and what goes into each beside its own files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from backend.audit.exporting import json_bytes
from backend.audit.forms import beside, cifar_binary, class_folder, huggingface, webdataset
from backend.audit.forms.archive import Arranged, Member, zipped
from backend.audit.forms.content import Content

FormName = Literal["class-folder", "webdataset", "cifar-binary", "manifest", "coco", "parquet"]
AS_DELIVERED: Literal["as-delivered"] = "as-delivered"


class Form(NamedTuple):
    """A form for people and for the archive, which is a zip."""

    title: str
    says: str
    members: Callable[[Content], Iterator[Member]]
    refusal: Callable[[Content], str | None] = lambda content: None
    images: str = "as delivered, byte for byte"
    """What the images in it are."""


FORMS: dict[FormName, Form] = {
    "class-folder": Form("Class folders", "a folder for each class", class_folder.members),
    "manifest": Form(
        "Images and a table", "images where they lay, and a table of their labels", beside.manifest_members
    ),
    "parquet": Form(
        "Hugging Face folder", "Parquet with the images inside, read by load_dataset", huggingface.members
    ),
    "webdataset": Form(
        "WebDataset", "tar shards of KEY.png, KEY.cls and KEY.json", webdataset.members, webdataset.refusal
    ),
    "coco": Form("COCO", "images, and one JSON of images, categories and annotations", beside.coco_members),
    "cifar-binary": Form(
        "CIFAR binary",
        "32 × 32 pixels in binary batches",
        cifar_binary.members,
        cifar_binary.refusal,
        images="decoded pixels: this form holds no image files",
    ),
}

_CAME_AS: dict[str, FormName] = {"cifar": "cifar-binary"}
"""What imports recognise and leaves under another name; the rest is class folders."""


def form_as_delivered(recognised: str, content: Content) -> FormName:
    """The form that a dataset came in; class folders where it came in one that is not written here."""
    came: FormName = next(
        (form for form in FORMS if form == recognised), _CAME_AS.get(recognised, "class-folder")
    )
    return "class-folder" if refusal(came, content) else came


def refusal(name: FormName, content: Content) -> str | None:
    """Why this dataset cannot leave in this form; None when it can."""
    return FORMS[name].refusal(content)


def arranged(name: FormName, content: Content, about: dict[str, Any]) -> Arranged:
    """The zip of a form, with its manifest and the hashes of its files."""
    return zipped(lambda: FORMS[name].members(content), json_bytes(about))
