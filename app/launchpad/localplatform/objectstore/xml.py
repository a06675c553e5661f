"""Bodies of the store's XML API: what is answered, and what complete and delete requests hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from launchpad.localplatform.database.tables import ObjectRow, UploadPartRow, UploadRow
from launchpad.localplatform.objectstore.errors import StoreError

LIMIT = 4 << 20  # bytes of a request's body: 10,000 parts need one
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_MOST_DELETED = 1000


def element(name: str, *inner: str | None, **values: object) -> str:
    """An element with children in XML, and with simple children; None is left out."""
    simple = "".join(f"<{key}>{_text(value)}</{key}>" for key, value in values.items() if value is not None)
    return f"<{name}>{simple}{''.join(item for item in inner if item)}</{name}>"


def document(name: str, *inner: str | None, **values: object) -> bytes:
    """A whole answer."""
    body = element(name, *inner, **values).replace(f"<{name}>", f'<{name} xmlns="{_NAMESPACE}">', 1)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{body}".encode()


def error(code: str, message: str) -> bytes:
    """An answer that says what went wrong."""
    return f"<?xml version='1.0' encoding='UTF-8'?>{element('Error', Code=code, Message=message)}".encode()


def contents(rows: Iterable[ObjectRow], encoding: str | None) -> str:
    """Objects of a list."""
    return "".join(
        element(
            "Contents",
            Key=key_text(row.key, encoding),
            LastModified=when(row.created),
            ETag=f'"{row.etag}"',
            Size=row.size,
            StorageClass="STANDARD",
        )
        for row in rows
    )


def prefixes(names: Iterable[str], encoding: str | None) -> str:
    """Common prefixes of a list."""
    return "".join(element("CommonPrefixes", Prefix=key_text(name, encoding)) for name in names)


def parts(rows: Iterable[UploadPartRow]) -> str:
    """Parts of a list."""
    return "".join(
        element("Part", PartNumber=row.number, LastModified=when(row.created), ETag=f'"{row.etag}"', Size=row.size)
        for row in rows
    )


def uploads(rows: Iterable[UploadRow], encoding: str | None) -> str:
    """Open uploads of a list."""
    return "".join(
        element(
            "Upload",
            Key=key_text(row.key, encoding),
            UploadId=row.id,
            Initiated=when(row.created),
            StorageClass="STANDARD",
        )
        for row in rows
    )


def deleted(keys: Iterable[str], failed: Mapping[str, str]) -> str:
    """What became of each key of a delete request; `failed` maps keys to codes."""
    good = "".join(element("Deleted", Key=key) for key in keys)
    return good + "".join(element("Error", Key=key, Code=code, Message=code) for key, code in failed.items())


def read_complete(data: bytes) -> list[tuple[int, str]]:
    """Number and ETag of each part that a complete request names. Raises StoreError MalformedXML."""
    found = []
    for part in _read(data, "CompleteMultipartUpload"):
        if _name(part) != "Part":
            continue
        values = {_name(child): (child.text or "").strip() for child in part}
        try:
            found.append((int(values["PartNumber"]), values["ETag"].strip('"')))
        except (KeyError, ValueError):
            raise StoreError("MalformedXML", "A part has no number or no ETag.") from None
    return found


def read_delete(data: bytes) -> tuple[list[str], bool]:
    """Keys of a delete request, and whether only failures are to be answered. Raises StoreError MalformedXML."""
    keys, quiet = [], False
    for item in _read(data, "Delete"):
        if _name(item) == "Quiet":
            quiet = (item.text or "").strip().lower() == "true"
        elif _name(item) == "Object":
            names = [child.text or "" for child in item if _name(child) == "Key"]
            if len(names) != 1 or not names[0]:
                raise StoreError("MalformedXML", "An object has no key.")
            keys.append(names[0])
    if not 0 < len(keys) <= _MOST_DELETED:
        raise StoreError("MalformedXML", f"Between 1 and {_MOST_DELETED} keys can be deleted at once.")
    return keys, quiet


def key_text(key: str, encoding: str | None) -> str:
    """A key as a list shows it."""
    return quote(key, safe="/") if encoding == "url" else key


def when(stamp: str) -> str:
    """A time of the database as lists show it."""
    return f"{stamp[:23]}Z"


def _read(data: bytes, root: str) -> Sequence[ElementTree.Element]:
    if b"<!" in data.replace(b"<!--", b""):  # no document types, so no entities
        raise StoreError("MalformedXML", "The body declares a document type.")
    try:
        tree = ElementTree.fromstring(data)  # noqa: S314 - without document types
    except ElementTree.ParseError as problem:
        raise StoreError("MalformedXML", f"The body is no XML: {problem}.") from None
    if _name(tree) != root:
        raise StoreError("MalformedXML", f"The body is no {root}.")
    return list(tree)


def _name(item: ElementTree.Element) -> str:
    return item.tag.rpartition("}")[2]


def _text(value: object) -> str:
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
