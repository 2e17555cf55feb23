"""The header of a numpy array in a file, from whoever wrote it; runs nothing and reads no value."""

from __future__ import annotations

import tokenize
import warnings
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy

_HEADER_BYTES = 10_000
"""numpy's own limit on a header that it evaluates as a literal."""
# What numpy raises on hostile headers, which it parses as Python's literals.
_MALFORMED = (
    ValueError,
    TypeError,
    SyntaxError,
    KeyError,
    RecursionError,
    MemoryError,
    OverflowError,
    EOFError,
    tokenize.TokenError,
)


class NotNpy(Exception):
    """This is no header of an array."""


class Header(NamedTuple):
    """What an array's header promises."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


def read_header(file: BinaryIO) -> Header:
    """The header; the file then stands at the array's first value. Raises NotNpy."""
    try:
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        with warnings.catch_warnings():
            # Of strange text in a header: it is refused, or read all the same.
            warnings.simplefilter("ignore")
            return Header(*read(file, max_header_size=_HEADER_BYTES))
    except _MALFORMED as error:
        raise NotNpy from error
