"""The text file beside the data that names the classes, one a line in the order of their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from backend.audit.errors import BadInput
from worker.ingest.members import Members, Reader
from worker.ingest.names import shown

USUAL = ("classes.txt", "class_names.txt", "classnames.txt", "label_names.txt")
_BYTES = 4 << 20


def names_beside(members: Members, reader: Reader, usual: Sequence[str] = USUAL) -> list[str] | None:
    """The class names of the first of the usual files; None without one. Raises BadInput BAD_NAME for a name twice."""
    by_base = {name.rsplit("/", 1)[-1].casefold(): name for name in members.sizes}
    name = next((by_base[one] for one in usual if one in by_base), None)
    if name is None or members.sizes[name] > _BYTES:
        return None
    found = [line.strip() for line in reader.read(name).decode("utf-8-sig", errors="replace").splitlines()]
    while found and not found[-1]:
        found.pop()
    if len(set(found)) != len(found) or not all(found):
        raise BadInput(
            "BAD_NAME", "The list of classes has an empty line, or a name twice.", item=shown(name)
        )
    return found
