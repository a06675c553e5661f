"""The objects of a GeoJSON text one by one, in bounded memory.

The text is scanned block by block for quotes and braces; an object that is whole is parsed. A block costs a few
passes of numpy over its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 4 << 20  # bytes
OBJECT_LIMIT = 512 << 20  # bytes of one feature, or of what stands around the features
_FEATURES = re.compile(rb'"features"\s*:\s*\[\s*\Z')


class NotGeoJson(ValueError):
    """Why a text is not GeoJSON."""


def objects(file: BinaryIO, block: int = BLOCK) -> Iterator[dict[str, Any]]:
    """The features of a collection or of a list; a feature or geometry that stands alone.

    Raises:
        NotGeoJson: it is none, or it is cut off.
    """
    import orjson

    head = file.read(block)
    if head.startswith(b"\xef\xbb\xbf"):
        head = head[3:]
    start = head.lstrip()[:1]
    if start == b"[":
        yield from _stream(file, head, block, 0)
    elif start == b"{":
        found = False
        scan = _Scan(1)
        for item in _stream(file, head, block, 1, scan):
            found = True
            yield item
        if not found:
            # One feature or geometry, or a collection without features.
            if scan.size > OBJECT_LIMIT:
                raise NotGeoJson("It has no features")
            file.seek(0)
            text = file.read().removeprefix(b"\xef\xbb\xbf")
            try:
                document = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise NotGeoJson(str(error)) from error
            if document.get("features") == []:
                return
            if not {"geometry", "coordinates", "geometries"} & document.keys():
                raise NotGeoJson("It has no features")
            yield document
    else:
        raise NotGeoJson("It does not begin with { or [")


class _Scan:
    """Where the scan is: nesting of braces, and whether it is inside of a string."""

    def __init__(self, base: int) -> None:
        self.base = base  # braces around the features
        self.depth = 0
        self.in_string = False
        self.escaped = False
        self.size = 0
        self.in_features = False


def _stream(file: BinaryIO, head: bytes, block: int, base: int, scan: _Scan | None = None) -> Iterator[dict[str, Any]]:
    state = scan or _Scan(base)
    state.in_features = base == 0
    around = bytearray()  # text of the outer level since the last object
    inside = bytearray()  # of the object that is not whole yet
    data = head
    while data:
        state.size += len(data)
        at = 0
        for begin, end in _spans(data, state):
            if begin >= 0:
                around += data[at:begin]
                _look(around, state)
                at = begin
            if end >= 0:
                item = bytes(inside) + data[at:end]
                inside.clear()
                at = end
                if state.in_features:
                    yield _parsed(item)
        if state.depth > state.base:
            inside += data[at:]
        else:
            around += data[at:]
        if len(inside) > OBJECT_LIMIT or len(around) > OBJECT_LIMIT:
            raise NotGeoJson("One of its features is larger than 512 MB")
        data = file.read(block)
    _check_end(around, state)


def _check_end(around: bytearray, state: _Scan) -> None:
    whole = around.rstrip().endswith(b"}" if state.base else b"]")
    if state.depth or state.in_string or not whole:
        raise NotGeoJson("It is cut off")


def _look(around: bytearray, state: _Scan) -> None:
    """Whether the object that begins behind this text is one of the features."""
    before = around.rstrip()
    if state.base == 0:
        around.clear()
        return
    if before.endswith(b","):
        first = before.lstrip()[:1]
        if first != b",":  # something else came between, so the array of features has ended
            state.in_features = False
    else:
        state.in_features = _FEATURES.search(before) is not None
    around.clear()


def _parsed(item: bytes) -> dict[str, Any]:
    import orjson

    try:
        found = orjson.loads(item)
    except orjson.JSONDecodeError as error:
        raise NotGeoJson(f"A feature cannot be read: {error}; it begins with {item[:60]!r}") from error
    if not isinstance(found, dict):
        raise NotGeoJson("A feature is no object")
    return found


def _spans(data: bytes, state: _Scan) -> list[tuple[int, int]]:
    """Begin and end of each object at the level of features, -1 where it lies in another block; moves the state."""
    import numpy as np

    text = np.frombuffer(data, dtype=np.uint8)
    quotes = _quotes(text, state)
    braces = np.flatnonzero((text == 0x7B) | (text == 0x7D))
    strings = np.searchsorted(quotes, braces)  # quotes before each brace
    outside = (strings & 1) == int(state.in_string)
    braces = braces[outside]
    steps = np.where(text[braces] == 0x7B, 1, -1)
    depth = state.depth + np.cumsum(steps)
    begins = braces[(steps == 1) & (depth == state.base + 1)]
    ends = braces[(steps == -1) & (depth == state.base)] + 1
    if len(depth):
        if depth.min() < 0:
            raise NotGeoJson("Its braces do not match")
        open_before = state.depth > state.base
        state.depth = int(depth[-1])
    else:
        open_before = state.depth > state.base
    state.in_string ^= bool(len(quotes) & 1)
    first = [-1] if open_before else []
    starts = [*first, *begins.tolist()]
    stops = [*ends.tolist(), *([-1] if len(ends) < len(starts) else [])]
    return list(zip(starts, stops, strict=True))


def _quotes(text: NDArray[np.uint8], state: _Scan) -> NDArray[np.int64]:
    """Positions of the quotes that begin or end a string: those behind an odd number of backslashes do not."""
    import numpy as np

    quotes = np.flatnonzero(text == 0x22)
    slashes = np.flatnonzero(text == 0x5C)
    if not len(slashes) and not state.escaped:
        return quotes
    # Backslashes in a row: the first position of each row, and its length.
    breaks = np.flatnonzero(np.diff(slashes, prepend=-2) != 1)
    starts = slashes[breaks]
    lengths = np.diff(np.append(breaks, len(slashes)))
    if state.escaped:  # the block before ended behind an odd one
        if len(starts) and starts[0] == 0:
            lengths[0] += 1
        else:
            starts, lengths = np.insert(starts, 0, -1), np.insert(lengths, 0, 1)
    ends = starts + lengths
    if state.escaped and len(starts) and starts[0] == 0:
        ends[0] -= 1
    odd = ends[(lengths & 1) == 1]
    state.escaped = bool(len(odd)) and int(odd[-1]) == len(text)
    return np.setdiff1d(quotes, odd, assume_unique=True)
