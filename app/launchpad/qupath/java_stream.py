"""Writes Java's object serialization stream, protocol 5, as far as `data.qpdata` needs it.

Handles are given to class descriptions, texts, arrays and objects in the order in which they are begun; whatever was
written once is named by its handle afterwards.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import BinaryIO, TypeAlias

NULL = b"\x70"
END = b"\x78"  # of a class's annotation, and of an externalizable object's data
_OBJECT, _CLASS, _REFERENCE, _STRING, _ARRAY, _BLOCK, _ENUM, _LONG_STRING = (
    0x73,
    0x72,
    0x71,
    0x74,
    0x75,
    0x77,
    0x7E,
    0x7C,
)
_FIRST_HANDLE = 0x7E0000

EXTERNAL, SERIAL, LIST, ENUM = 0x0C, 0x02, 0x03, 0x12

Field: TypeAlias = tuple[str, str, str]  # its kind (I, D, Z, L, [), name, and the type of L and [
Parent: TypeAlias = "Callable[[JavaStream], object] | None"  # describes the class above


class JavaStream:
    """A stream to `file`; what is written is gathered and goes out in pieces."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._parts: list[bytes] = [b"\xac\xed\x00\x05"]
        self._next = 0
        self._classes: dict[str, int] = {}
        self._texts: dict[str, int] = {}
        self.written = 0

    def put(self, data: bytes) -> None:
        """Bytes as they are."""
        self._parts.append(data)
        if len(self._parts) > 4096:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the file."""
        data = b"".join(self._parts)
        self._parts.clear()
        self._file.write(data)
        self.written += len(data)

    def begin(self) -> int:
        """The next handle, for what is begun now."""
        handle = self._next
        self._next += 1
        return handle

    def skip(self, count: int) -> int:
        """Handles for `count` things that are written ready-made; the first of them."""
        handle = self._next
        self._next += count
        return handle

    @staticmethod
    def reference(handle: int) -> bytes:
        """The bytes that name what has this handle."""
        return struct.pack(">BI", _REFERENCE, _FIRST_HANDLE + handle)

    @staticmethod
    def block(data: bytes) -> bytes:
        """Block data of at most 255 bytes."""
        return struct.pack(">BB", _BLOCK, len(data)) + data

    def text(self, value: str, *, shared: bool = True) -> None:
        """A String object; named by its handle when it was written before (`shared`)."""
        if shared and value in self._texts:
            self.put(self.reference(self._texts[value]))
            return
        handle = self.begin()
        if shared:
            self._texts[value] = handle
        self.put(string_bytes(value))

    def describe(self, name: str, uid: int, flags: int, fields: Sequence[Field] = (), parent: Parent = None) -> None:
        """Write the description of a class, or its handle where it was written before."""
        if name in self._classes:
            self.put(self.reference(self._classes[name]))
            return
        self._classes[name] = self.begin()
        self.put(struct.pack(">B", _CLASS) + utf(name) + struct.pack(">qBH", uid, flags, len(fields)))
        for kind, field, kind_name in fields:
            self.put(kind.encode() + utf(field))
            if kind in "L[":
                self.text(kind_name)
        self.put(END)
        if parent is None:
            self.put(NULL)
        else:
            parent(self)

    def handle_of(self, name: str) -> int:
        """The handle of a class that was described."""
        return self._classes[name]

    def text_reference(self, value: str) -> bytes:
        """The bytes that name a shared text that was written."""
        return self.reference(self._texts[value])

    def object(self) -> None:
        """Begin an object: its class is described next, then `begin` gives its handle."""
        self.put(bytes([_OBJECT]))

    def array(self) -> None:
        """Begin an array, as an object."""
        self.put(bytes([_ARRAY]))

    def enum(self) -> None:
        """Begin a constant of an enum: its class, its handle and its name follow."""
        self.put(bytes([_ENUM]))


def modified_utf8(text: str) -> bytes:
    """Java's own UTF-8: no zero byte, and surrogates apart."""
    if text.isascii() and "\0" not in text:
        return text.encode()
    wide = text.encode("utf-16-be", "surrogatepass")
    out = bytearray()
    for (unit,) in struct.iter_unpack(">H", wide):
        if 0 < unit < 0x80:
            out.append(unit)
        elif unit < 0x800:
            out += bytes((0xC0 | unit >> 6, 0x80 | unit & 0x3F))
        else:
            out += bytes((0xE0 | unit >> 12, 0x80 | unit >> 6 & 0x3F, 0x80 | unit & 0x3F))
    return bytes(out)


def utf(text: str) -> bytes:
    """A text of at most 65,535 bytes with its length before it."""
    data = modified_utf8(text)
    return struct.pack(">H", len(data)) + data


def string_bytes(text: str) -> bytes:
    """A String object, in the long form where it is long."""
    data = modified_utf8(text)
    if len(data) <= 0xFFFF:
        return struct.pack(">BH", _STRING, len(data)) + data
    return struct.pack(">BQ", _LONG_STRING, len(data)) + data
