"""Files that were sound, with damage in a few places."""

from __future__ import annotations

from hypothesis import strategies as st


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    """The file with bytes overwritten, cut out or doubled in a few places, most of them near its end (the index)."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.one_of(st.integers(0, len(data)), st.integers(max(0, len(data) - 250), len(data))))
        length = draw(st.integers(1, 8))
        kind = draw(st.sampled_from(["overwrite", "cut", "double"]))
        if kind == "overwrite":
            data[place : place + length] = draw(st.binary(min_size=length, max_size=length))
        elif kind == "cut":
            del data[place : place + length]
        else:
            data[place:place] = data[place : place + length]
    return bytes(data)
