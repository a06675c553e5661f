"""What the tools answer: plain data, chosen field by field, so that no token and no signed address is among it.

Nothing here changes anything. Their docstrings are what a language model reads.
"""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import Any

from launchpad import paths
from launchpad.errors import BadInput, LaunchpadError, NotFound

MOST_ROWS = 500
_FURTHEST = 1_000_000_000  # row or item that a page may begin with


def applications() -> dict[str, Any]:
    """List the applications of the platform, each with its id, name, latest version and description."""
    from launchpad.application.service import Service

    with Service() as service:
        found = [
            {
                "application_id": item.application_id,
                "name": item.name,
                "latest_version": item.latest_version.number if item.latest_version else None,
                "description": item.description,
            }
            for item in service.applications()
        ]
        return {"platform": service.client.profile.name, "applications": found}


def runs(application_id: str | None = None, query: str | None = None, limit: int = 20) -> dict[str, Any]:
    """List runs, newest first. `query` is searched in notes and tags; `limit` is 1 to 500."""
    from launchpad.application.service import Service

    with Service() as service:
        found = service.application_runs(application_id, query=query, limit=_count(limit))
        return {"runs": [_run(item) for item in found]}


def run(run_id: str) -> dict[str, Any]:
    """Tell the state of one run: how many slides succeeded, failed or wait, note, tags, and times."""
    from launchpad.application.service import Service

    with Service() as service:
        return _run(service.application_run(run_id).details())


def items(run_id: str, limit: int = 100, offset: int = 0) -> dict[str, Any]:
    """List the slides of a run with their state, error and output artifacts. `limit` is 1 to 500."""
    from launchpad.application.service import Service

    with Service() as service:
        results = service.application_run(run_id).results()
        page = itertools.islice(results, _offset(offset), offset + _count(limit))
        return {"run_id": run_id, "offset": offset, "items": [_item(item) for item in page]}


def results(run_id: str, file: str | None = None, limit: int = 100, offset: int = 0) -> dict[str, Any]:
    """Read a table of the downloaded results of a run. Without `file` the names of its tables are listed.

    `file` is a name from that list, for example `summary.csv`; `limit` is 1 to 500 rows from row `offset` on.
    """
    folder = _inside(paths.results_dir() / run_id)
    if not folder.is_dir():
        raise NotFound(
            "The results of this run are not in the data folder",
            advice=f"Download them first: launchpad application run result download {run_id}",
            subject=run_id,
        )
    if file is None:
        found = sorted(path for path in folder.rglob("*.csv") if path.is_file() and _allowed(path))
        return {"run_id": run_id, "tables": [path.relative_to(folder).as_posix() for path in found]}
    path = _inside(folder / file)
    if path.suffix.lower() != ".csv":
        raise BadInput("Only tables can be read", advice="Name a .csv file of the list.", subject=file)
    if not path.is_relative_to(folder) or not path.is_file():
        raise NotFound("There is no such table", advice="Leave out `file` to list the tables.", subject=file)
    return {"run_id": run_id, "file": file, "offset": offset, **_table(path, _count(limit), _offset(offset))}


def health() -> dict[str, Any]:
    """Tell whether Launchpad and its platform work: UP, DEGRADED or DOWN, each part with reason and remedy."""
    from launchpad.platform.client import Client
    from launchpad.system.health import check, unreachable

    try:
        with Client() as client:
            return check(client).document()
    except LaunchpadError as error:
        return unreachable(error).document()


TOOLS = (applications, runs, run, items, results, health)


def _count(limit: int) -> int:
    if not 1 <= limit <= MOST_ROWS:
        raise BadInput("The limit is out of range", advice=f"Take 1 to {MOST_ROWS}.", subject=str(limit))
    return limit


def _offset(offset: int) -> int:
    if not 0 <= offset <= _FURTHEST:
        raise BadInput("The offset is out of range", advice="Begin with 0.", subject=str(offset))
    return offset


def _allowed(path: Path) -> bool:
    """Whether a path, links followed, is below the results in the data folder: nothing beside them is read here."""
    root, results, real = paths.data_dir().resolve(), paths.results_dir().resolve(), path.resolve()
    return results.is_relative_to(root) and results in real.parents


def _inside(path: Path) -> Path:
    if "\0" in str(path) or not _allowed(path):
        raise BadInput("The path is outside of the results", advice="Only results in the data folder can be read.")
    return path.resolve()


def _table(path: Path, limit: int, offset: int) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.reader(line for line in opened if not line.startswith("#"))
            columns = next(rows, [])
            page = list(itertools.islice(rows, offset, offset + limit))
            more = next(rows, None) is not None
    except (OSError, ValueError, csv.Error) as error:
        raise LaunchpadError("The table cannot be read", f"{error}.", "Download it again.", path.name) from error
    return {"columns": columns, "rows": page, "more": more}


def _run(found: Any) -> dict[str, Any]:
    from launchpad.platform.custom_metadata import note_of, tags_of

    data = found.model_dump(mode="json")
    names = ("run_id", "application_id", "version_number", "state", "output", "termination_reason", "error_message",
             "statistics", "submitted_at", "terminated_at")  # fmt: skip
    return {name: data[name] for name in names} | {
        "error_message": _said(data["error_message"]),
        "note": note_of(found.custom_metadata),
        "tags": list(tags_of(found.custom_metadata)),
    }


def _item(found: Any) -> dict[str, Any]:
    data = found.model_dump(mode="json")
    names = ("item_id", "external_id", "state", "output", "termination_reason", "error_code", "error_message")
    artifacts = [{"name": part["name"], "state": part["state"]} for part in data["output_artifacts"]]
    # An external id may be an address with a signature; what names the slide is before it.
    return {name: data[name] for name in names} | {
        "external_id": str(data["external_id"]).partition("?")[0]
        if "://" in data["external_id"]
        else data["external_id"],
        "error_message": _said(data["error_message"]),
        "artifacts": artifacts,
    }


def _said(message: str | None) -> str | None:
    """Words of the platform about what failed: an address in them may be a signed one."""
    from launchpad.system.diagnostics import cleaned

    return cleaned(message) if message else message
