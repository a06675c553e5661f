"""Lists of objects, version 1 and 2 of the XML API: by prefix and delimiter, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from launchpad.localplatform.database.tables import ObjectRow
from launchpad.localplatform.objectstore import xml
from launchpad.localplatform.objectstore.errors import StoreError
from launchpad.localplatform.objectstore.storage import Storage

_MOST = 1000
_LAST = "\U0010ffff"


@dataclass(frozen=True)
class _Page:
    rows: list[ObjectRow]
    prefixes: list[str]
    last: str  # the greatest key or prefix here
    more: bool


def objects(storage: Storage, bucket: str, query: Mapping[str, str]) -> bytes:
    """The answer to a list request; `query` are its decoded parameters.

    Raises:
        StoreError: a parameter is malformed.
    """
    prefix, delimiter, encoding = query.get("prefix", ""), query.get("delimiter", ""), query.get("encoding-type")
    count = number(query, "max-keys", _MOST)
    version_2 = query.get("list-type") == "2"
    token = query.get("continuation-token")
    after = _decode(token) if version_2 and token else query.get("start-after" if version_2 else "marker", "")
    page = _page(storage, bucket, prefix, delimiter, after, count)
    common = {
        "Name": bucket,
        "Prefix": xml.key_text(prefix, encoding),
        "Delimiter": delimiter or None,
        "MaxKeys": count,
        "EncodingType": encoding,
        "IsTruncated": page.more,
    }
    inner = xml.contents(page.rows, encoding), xml.prefixes(page.prefixes, encoding)
    if version_2:
        return xml.document(
            "ListBucketResult",
            *inner,
            **common,
            KeyCount=len(page.rows) + len(page.prefixes),
            ContinuationToken=token,
            NextContinuationToken=_encode(page.last) if page.more else None,
        )
    following = xml.key_text(page.last, encoding) if page.more else None
    return xml.document("ListBucketResult", *inner, **common, Marker=after, NextMarker=following)


def number(query: Mapping[str, str], name: str, most: int, default: int | None = None) -> int:
    """A parameter between 0 and `most`. Raises StoreError where it is none."""
    text = query.get(name)
    if text is None:
        return most if default is None else default
    if not text.isdigit():
        raise StoreError("InvalidArgument", f"{name} is no number.")
    return min(int(text), most)


def _page(storage: Storage, bucket: str, prefix: str, delimiter: str, after: str, count: int) -> _Page:
    rows: list[ObjectRow] = []
    prefixes: list[str] = []
    last = after
    if after and delimiter and after.startswith(prefix) and after.endswith(delimiter):
        after += _LAST  # a prefix was the last of the page before: all below it is done
    while True:
        found = storage.page(bucket, prefix, after, count + 1 - len(rows) - len(prefixes))
        if not found:
            return _Page(rows, prefixes, last, more=False)
        for row in found:
            if row.key <= after:
                continue  # below a prefix that was just taken
            below = row.key[len(prefix) :]
            group = prefix + below.partition(delimiter)[0] + delimiter if delimiter and delimiter in below else ""
            if len(rows) + len(prefixes) == count:
                return _Page(rows, prefixes, last, more=count > 0)
            if group:
                prefixes.append(group)
                last, after = group, group + _LAST
            else:
                rows.append(row)
                last = after = row.key


def _encode(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _decode(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        raise StoreError("InvalidArgument", "The continuation token is malformed.") from None
