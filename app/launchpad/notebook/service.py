"""The face of this package: open the notebook of a run, export it for Jupyter, keep the servers. Thread-safe."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad import paths
from launchpad.application.run_folder import RunFacts, load
from launchpad.errors import LaunchpadError, NotFound, SlideError
from launchpad.notebook import environment, templates
from launchpad.notebook.server import LOOPBACK, Server, run_marimo
from launchpad.notebook.templates import FOLDER, RUN_RESULTS, SIGN_IN_TO_DOWNLOAD, Placed
from launchpad.progress import Progress

if TYPE_CHECKING:
    from types import TracebackType

    from launchpad.wsi.isolation import SlideService

_CELLS = 5  # that an error names
_THUMBNAIL = 1024  # pixels of the longer side


@dataclass(frozen=True)
class Prepared:
    """A notebook that can be opened; `notes` are sentences that a person should read."""

    path: Path
    notes: tuple[str, ...] = ()


def run_folder(run: str, results: Path | None = None) -> Path:
    """The folder of a run: `run` is its id, or a path.

    Raises:
        NotFound: its results are not on this computer.
    """
    base = results or paths.results_dir()
    for folder in (base / run, Path(run)):
        if (folder / "run.json").is_file():
            return folder.absolute()
    raise NotFound(
        "The results of this run are not on this computer",
        detail=f"Looked in {base}.",
        advice="Download them first, or name the folder that they are in.",
        subject=run,
    )


def prepare_run(folder: Path, *, slides: SlideService | None = None, progress: Progress | None = None) -> Prepared:
    """Put the notebook of a run beside its results, with a picture of each slide that is on this computer.

    Raises:
        NotFound: there are no results in this folder.
        LaunchpadError: run.json is damaged, or the folder cannot be written.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    facts = load(folder)
    if not (folder / "run.json").is_file():
        raise NotFound(
            "There is no run.json beside these results",
            detail="The notebook reads from it what belongs to which slide.",
            advice="Download the results again; what is complete is not fetched again.",
            subject=str(folder),
        )
    placed = templates.place(RUN_RESULTS, folder / FOLDER)
    notes = [*_newer(placed), *_pictures(folder, facts, slides, progress)]
    return Prepared(placed.path, tuple(notes))


def prepare_own(name: str = SIGN_IN_TO_DOWNLOAD, *, override: bool = False) -> Prepared:
    """Copy a notebook that belongs to no run into the data folder.

    Raises:
        LaunchpadError: the folder cannot be written.
    """
    placed = templates.place(name, templates.own_folder(), override=override)
    return Prepared(placed.path, tuple(_newer(placed)))


def export_jupyter(
    notebook: Path, *, with_outputs: bool = True, interpreter: Path | None = None, progress: Progress | None = None
) -> Placed:
    """The notebook for Jupyter, beside it; a copy that somebody changed stays, the new one gets a number.

    Raises:
        NotebookMissing: there is no Python with marimo.
        LaunchpadError: a cell fails, or the folder cannot be written.
        Cancelled: the progress was cancelled.
    """
    target = notebook.with_suffix(".ipynb")
    made = notebook.with_name(f".{notebook.stem}.part.ipynb")
    arguments = ["export", "ipynb", notebook.name, "--force", "--output", made.name]
    if with_outputs:
        arguments.append("--include-outputs")
    try:
        try:
            run_marimo(interpreter or environment.require(), arguments, notebook.parent, progress)
        except LaunchpadError as error:
            failed = _failed_cells(made)
            if not failed:
                raise
            raise LaunchpadError(
                "A cell of the notebook fails",
                detail=f"{'; '.join(failed)}.",
                advice="Open the notebook and correct it, then export it again.",
                subject=str(notebook),
            ) from error
        placed = templates.place_file(made.read_bytes(), target)
    finally:
        made.unlink(missing_ok=True)
    return Placed(placed.newer or placed.path)


def _failed_cells(exported: Path) -> list[str]:
    """What went wrong in which cell of an export; nothing where it was not written."""
    try:
        cells = json.loads(exported.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return []
    return [
        f"cell {number}: {output.get('ename', '')}: {output.get('evalue', '')}"
        for number, cell in enumerate(cells, 1)
        for output in cell.get("outputs", [])
        if output.get("output_type") == "error"
    ][:_CELLS]


def _newer(placed: Placed) -> list[str]:
    if placed.newer is None:
        return []
    return [
        f"Your notebook {placed.path.name} stays as you changed it; a newer template is beside it: {placed.newer.name}."
    ]


def _pictures(folder: Path, facts: RunFacts, slides: SlideService | None, progress: Progress) -> list[str]:
    """Thumbnails for the overlays; what is missing, in sentences."""
    from launchpad.wsi.isolation import SlideService

    notes: list[str] = []
    target = folder / FOLDER / "thumbnails"
    wanted = [item for item in facts.items if not (target / f"{item.name}.png").is_file()]
    found = {item.name: Path(item.external_id) for item in wanted}
    there = {name: path for name, path in found.items() if path.is_absolute() and path.exists()}
    missing = len(found) - len(there)
    reader = slides or SlideService(1)
    try:
        for number, (name, path) in enumerate(there.items()):
            progress.report(number, len(there), name)
            try:
                png = reader.thumbnail(path, _THUMBNAIL)
                paths.ensure_private(target)
                paths.write_private(target / f"{name}.png", png)
            except SlideError as error:
                notes.append(f"{name}: {error.title}: the notebook shows its cells without a picture.")
            except OSError as error:
                raise LaunchpadError(
                    "The pictures for the notebook cannot be written",
                    detail=f"{error.strerror or error}.",
                    advice="Check the disk's free space and your rights in this folder.",
                    subject=str(target),
                ) from error
    finally:
        if slides is None:
            reader.close()
    if missing:
        notes.append(f"{missing} slide(s) are not where they were: the notebook shows their cells without a picture.")
    return notes


class Service:
    """The servers of this process, one for each notebook that is open. Stop them at the end, or use it with `with`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers: dict[Path, Server] = {}

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(
        self,
        notebook: Path | None = None,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        progress: Progress | None = None,
    ) -> str:
        """The address of a server on this notebook, which is started unless it runs; None: from sign-in to download.

        Raises:
            NotebookMissing: there is no Python with marimo.
            NotFound: there is no such notebook.
            BadInput: the port is taken.
            LaunchpadError: marimo does not start.
            Cancelled: the progress was cancelled.
        """
        path = (notebook or prepare_own().path).absolute()
        if not path.is_file():
            raise NotFound("There is no such notebook", advice="Check its path.", subject=str(path))
        with self._lock:
            server = self._servers.get(path)
            if server is not None and server.running:
                return server.url
            if server is not None:
                server.stop()
            made = Server.start(path, environment.require(), host=host, port=port, progress=progress)
            self._servers[path] = made
            return made.url

    def stop(self, notebook: Path | None = None) -> None:
        """End the server of a notebook, or all."""
        with self._lock:
            chosen = list(self._servers) if notebook is None else [notebook.absolute()]
            for path in chosen:
                server = self._servers.pop(path, None)
                if server is not None:
                    server.stop()

    def server(self, notebook: Path) -> Server | None:
        """The server that runs on a notebook."""
        found = self._servers.get(notebook.absolute())
        return found if found is not None and found.running else None

    def is_marimo_server_running(self) -> bool:
        """Whether a server of this process runs."""
        return any(server.running for server in list(self._servers.values()))

    def is_monitor_thread_alive(self) -> bool:
        """Whether the end of a server would be noticed."""
        return any(server.monitored for server in list(self._servers.values()))
