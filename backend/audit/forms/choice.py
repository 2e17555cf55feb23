"""Which forms there are, which of them a dataset came in, and what goes into each beside its own files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from backend.audit.exporting import json_bytes
from backend.audit.forms import beside, cifar_binary, class_folder, huggingface, webdataset
from backend.audit.forms.archive import (
    Arranged,
    Member,
    gathered,
    tar_bytes,
    tar_chunks,
    whole,
    zipped,
)
from backend.audit.forms.content import Content

FormName = Literal["class-folder", "webdataset", "cifar-binary", "manifest", "coco", "parquet"]
AS_DELIVERED: Literal["as-delivered"] = "as-delivered"


class Form(NamedTuple):
    """A form for people and for the archive."""

    title: str
    says: str
    ending: str
    """.zip or .tar."""
    members: Callable[[Content], Iterator[Member]]
    refusal: Callable[[Content], str | None] = lambda content: None
    images: str = "as delivered, byte for byte"
    """What the images in it are."""


FORMS: dict[FormName, Form] = {
    "class-folder": Form(
        "Class folders", "a folder for each class, in a zip", ".zip", class_folder.members
    ),
    "manifest": Form(
        "Images and a table", "images where they lay and a CSV, JSON Lines or Parquet file of labels", ".zip",
        beside.manifest_members,
    ),
    "parquet": Form(
        "Hugging Face folder", "Parquet with the images inside; load_dataset reads it", ".zip", huggingface.members
    ),
    "webdataset": Form("WebDataset", "a tar shard of KEY.png, KEY.cls and KEY.json", ".tar", webdataset.members),
    "coco": Form("COCO", "images and one JSON of images, categories and annotations", ".zip", beside.coco_members),
    "cifar-binary": Form(
        "CIFAR binary",
        "32 × 32 pixels in binary batches, in a tar",
        ".tar",
        cifar_binary.members,
        cifar_binary.refusal,
        images="decoded pixels: this form holds no image files",
    ),
}  # fmt: skip

_CAME_AS: dict[str, FormName] = {"cifar": "cifar-binary"}
"""What imports recognised and leaves under another form's name."""


def form_as_delivered(recognised: str, content: Content) -> FormName:
    """The form that a dataset came in; class folders where it came in one that is not written here."""
    name = next(
        (form for form in FORMS if form == recognised), _CAME_AS.get(recognised.split("-")[0], "class-folder")
    )
    return "class-folder" if FORMS[name].refusal(content) else name


def refusal(name: FormName, content: Content) -> str | None:
    """Why this dataset cannot leave in this form; None when it can."""
    return FORMS[name].refusal(content)


def arranged(name: FormName, content: Content, about: dict[str, Any]) -> Arranged:
    """The archive of a form, with its manifest and the hashes of its files."""
    form = FORMS[name]
    manifest = json_bytes(about)
    if form.ending == ".tar":
        # Readers of WebDataset take every file with an ending for a part of a sample, and pass over this one.
        def with_manifest() -> Iterator[Member]:
            yield whole("__manifest__", manifest)
            yield from form.members(content)

        return Arranged(tar_bytes(with_manifest()), gathered(tar_chunks(with_manifest())))
    return zipped(lambda: form.members(content), manifest)
