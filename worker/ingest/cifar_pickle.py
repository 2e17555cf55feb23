"""CIFAR's pickled batches, read without running what is in them.

An unpickler that knows a short list of opcodes and stands in for the few names that numpy's arrays need: none of
the real functions is reached, so what comes out is text, numbers, lists, dictionaries and raw bytes.
"""

from __future__ import annotations

import io
import pickle  # noqa: TID251  its opcodes only: whatever they name is stood in for below
import struct
from typing import Any

from backend.audit.errors import BadInput
from worker.ingest.names import shown

_OPCODES = frozenset(
    (
        pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.POP, pickle.POP_MARK, pickle.NONE,
        pickle.NEWTRUE, pickle.NEWFALSE, pickle.INT, pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1,
        pickle.BINFLOAT, pickle.BINSTRING, pickle.SHORT_BINSTRING, pickle.BINBYTES, pickle.SHORT_BINBYTES,
        pickle.BINBYTES8, pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINUNICODE8, pickle.EMPTY_LIST,
        pickle.EMPTY_DICT, pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3,
        pickle.APPEND, pickle.APPENDS, pickle.SETITEM, pickle.SETITEMS, pickle.BINGET, pickle.LONG_BINGET,
        pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE, pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.REDUCE,
        pickle.BUILD, pickle.BYTEARRAY8,
    )
)  # fmt: skip


class Stored:
    """A numpy array as it was pickled: `shape`, and `raw` bytes of uint8 in C order."""

    shape: tuple[int, ...] = ()
    raw = b""

    def __setstate__(self, state: Any) -> None:
        match state:
            case (int(), tuple() as shape, _Uint8(), False | 0, bytes() | bytearray() as raw):
                self._hold(shape, bytes(raw))
            case _:
                raise pickle.UnpicklingError("an array of other things than uint8")

    def _hold(self, shape: tuple[Any, ...], raw: bytes) -> None:
        size = 1
        for side in shape:
            if not isinstance(side, int) or side < 0:
                raise pickle.UnpicklingError("an array of no shape")
            size *= side
        if size != len(raw):
            raise pickle.UnpicklingError("an array of another size than it says")
        self.shape, self.raw = shape, raw


class _Uint8:
    def __init__(self, kind: Any, *_: Any) -> None:
        if kind not in ("u1", b"u1"):
            raise pickle.UnpicklingError("an array of other things than uint8")

    def __setstate__(self, _: Any) -> None:
        pass


def _reconstruct(*_: Any) -> Stored:
    return Stored()


def _from_buffer(buffer: Any, kind: Any, shape: Any, order: Any) -> Stored:
    made = Stored()
    made.__setstate__((1, shape, kind, order not in ("C", b"C"), buffer))
    return made


def _encode(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", b"latin1"):
        raise pickle.UnpicklingError("bytes that are no bytes")
    return text.encode("latin-1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _encode,
    ("numpy", "ndarray"): "numpy.ndarray",  # only ever handed to _reconstruct, which ignores it
    ("numpy", "dtype"): _Uint8,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
}


class _Forbidden(Exception):
    pass


class _Dispatch(dict[int, Any]):
    def __missing__(self, code: int) -> Any:
        if code in pickle._Unpickler.dispatch:
            raise _Forbidden(f"the opcode {code:#04x}")
        raise pickle.UnpicklingError("no opcode")


class _Unpickler(pickle._Unpickler):
    """The unpickler written in Python: it asks for no memory that a length or an index merely claims."""

    dispatch = _Dispatch(
        {code: load for code, load in pickle._Unpickler.dispatch.items() if bytes([code]) in _OPCODES}
    )

    stack: list[Any]

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise _Forbidden(f"{module}.{name}") from None

    def _load_build(self) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], (Stored, _Uint8)):
            raise pickle.UnpicklingError("a state for what has none")
        self.stack[-1].__setstate__(state)

    dispatch[pickle.BUILD[0]] = _load_build
    # As for bytes: Python's own makes room for as much as the length claims.
    dispatch[pickle.BYTEARRAY8[0]] = pickle._Unpickler.dispatch[pickle.BINBYTES8[0]]


# What hostile opcodes make it raise.
_MALFORMED = (
    pickle.UnpicklingError,
    struct.error,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    RecursionError,
)


def load(data: bytes, item: str) -> dict[str, Any]:
    """The dictionary of a batch, keys as text, arrays as `Stored`.

    Raises BadInput PICKLE_REFUSED for anything that a batch has no need of, and ARCHIVE_UNREADABLE for damage.
    """
    try:
        found = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except _Forbidden as error:
        raise BadInput(
            "PICKLE_REFUSED",
            "A pickled file asks for more than images and labels, so it was not opened.",
            hint="Send the images in class folders in a zip, or as Parquet or npz.",
            item=shown(item),
            found=shown(str(error)),
        ) from error
    except _MALFORMED as error:
        raise _damaged(item) from error
    if not isinstance(found, dict):
        raise _damaged(item)
    return {
        key.decode("latin-1") if isinstance(key, bytes) else str(key): value for key, value in found.items()
    }


def _damaged(item: str) -> BadInput:
    return BadInput(
        "ARCHIVE_UNREADABLE",
        "A batch of CIFAR is damaged, or no batch at all.",
        hint="Download the archive again.",
        item=shown(item),
    )
