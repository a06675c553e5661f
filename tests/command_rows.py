"""Rows of commands as data: what to run, and what has to come of it.

A row: `run`, the words; `code`, its exit code (0); `env`, variables for it; `by`, the file whose tests run it, as it
does not end by itself.
What it prints: `prints` and `lacks`, text on stdout; `says`, text on stderr; `is_text`; `lines`, how many; `keys` (of
the first of a list), `is`, `empty`, `has` (values by dotted paths), `has_keys`; `each`, keys of the document on each
line; `error`, the kind of a JSON error; `silent`. What it leaves: `files`, `no_files`, `folders`, `contains`. `keep`
and `keep_text` keep values for later rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "contract" / "data" / "rows"
BY_OTHERS = "by"
_JSON = {"keys", "is", "empty", "has", "has_keys", "keep"}


def rows_of(group: str) -> list[dict[str, Any]]:
    """The rows of one file."""
    rows: list[dict[str, Any]] = json.loads((DATA / f"{group}.json").read_text(encoding="utf-8"))
    return rows


def all_rows() -> Iterator[dict[str, Any]]:
    """The rows of all files."""
    for file in sorted(DATA.glob("*.json")):
        yield from rows_of(file.stem)


def filled(text: str, values: dict[str, Any]) -> str:
    """The text with the values in the place of their names in braces."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def wrong(row: dict[str, Any], values: dict[str, Any], code: int, out: str, err: str) -> str:
    """What is not as the row wants it; "" where all is."""
    if code != row.get("code", 0):
        return f"expected exit {row.get('code', 0)}"
    if code and not (err.strip() or out.strip()):
        return "fails without a word"
    return _text(row, values, out, err) or _left(row, values) or _document(row, values, out)


def _text(row: dict[str, Any], values: dict[str, Any], out: str, err: str) -> str:
    def of(key: str) -> str:
        return filled(row[key], values)

    if "prints" in row and of("prints") not in out:
        return f"does not print {of('prints')}"
    if "lacks" in row and (of("lacks") in out or not out.strip()):
        return f"prints {of('lacks')}, or nothing"
    if "says" in row and of("says") not in err:
        return f"does not say {of('says')}"
    if "error" in row and (json.loads(err)["error"] != row["error"] or out):
        return "the error is not as promised"
    if row.get("silent") and err:
        return "writes to stderr"
    if "is_text" in row and out.strip() != of("is_text"):
        return f"is not {of('is_text')}"
    if "lines" in row and len(out.splitlines()) != row["lines"]:
        return f"has {len(out.splitlines())} lines"
    for name, pattern in row.get("keep_text", {}).items():
        found = re.search(pattern, out)
        if found is None:
            return f"does not print {pattern}"
        values[name] = found[1]
    return ""


def _left(row: dict[str, Any], values: dict[str, Any]) -> str:
    for file in row.get("files", []):
        if not Path(filled(file, values)).is_file():
            return f"does not write {file}"
    for file in row.get("no_files", []):
        if Path(filled(file, values)).exists():
            return f"writes {file}"
    for folder in row.get("folders", []):
        if not Path(filled(folder, values)).is_dir():
            return f"does not make {folder}"
    for file, text in row.get("contains", {}).items():
        if filled(text, values) not in Path(filled(file, values)).read_text(encoding="utf-8"):
            return f"{file} does not contain {text}"
    return ""


def _document(row: dict[str, Any], values: dict[str, Any], out: str) -> str:
    if "each" in row:
        lines = [json.loads(line) for line in out.splitlines()]
        missing = {key for key in row["each"] if any(key not in line for line in lines)}
        return f"has lines that lack {sorted(missing)}" if missing or not lines else ""
    if not _JSON & set(row):
        return ""
    document = json.loads(out)
    if "is" in row and document != row["is"]:
        return f"is not {row['is']}"
    if row.get("empty"):
        return "" if document == [] else "is not empty"
    for path, value in row.get("has", {}).items():
        found = document
        for part in path.split("."):
            found = found[int(part)] if isinstance(found, list) else found[part]
        if found != value:
            return f"{path} is {found!r}"
    for path, names in row.get("has_keys", {}).items():
        if set(names) - set(document[path]):
            return f"{path} lacks {sorted(set(names) - set(document[path]))}"
    first = document[0] if isinstance(document, list) and document else document
    values.update({name: first[key] for name, key in row.get("keep", {}).items()})
    missing = set(row.get("keys", ())) - set(first)
    return f"lacks {sorted(missing)}" if missing else ""
