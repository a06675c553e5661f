"""The face of this package: open results in QuPath, and the old SDK's functions under their names."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launchpad import geojson
from launchpad.application.run_folder import load
from launchpad.errors import BadInput, LaunchpadError, NotFound
from launchpad.progress import Progress
from launchpad.qupath import installation as installed
from launchpad.qupath import moments, moved, processes
from launchpad.qupath.builder import is_open
from launchpad.qupath.from_run import FOLDER, How, Report, add_run
from launchpad.qupath.images import add_images, annotate_image
from launchpad.qupath.installation import Installation
from launchpad.qupath.moments import AddProgress, AnnotateProgress
from launchpad.qupath.moved import Moved
from launchpad.qupath.processes import QuPathProcess
from launchpad.qupath.project import PROJECT_FILE, edit, open_project, sha256
from launchpad.qupath.releases import DEFAULT_VERSION, Release, release
from launchpad.qupath.script import NAME as SCRIPT_NAME
from launchpad.qupath.starting import launch, run_script

if TYPE_CHECKING:
    from launchpad.application.download_progress import Queue
    from launchpad.wsi.isolation import SlideService


@dataclass(frozen=True)
class Opened:
    """What "Open in QuPath" did.

    Attributes:
        pid: of the QuPath that was started.
        project: the folder of the project.
        image: the name of the image that is shown, "" where none was asked for.
        report: what was written before; None where QuPath has the project open already.
        moved: images that were found elsewhere, or not at all.
    """

    pid: int
    project: Path
    image: str
    report: Report | None
    moved: Moved | None

    @property
    def notes(self) -> list[str]:
        """What a person should know, in sentences."""
        if self.report is None:
            return ["The project is open in QuPath already. What is new is added when it is opened next."]
        missing = self.moved.missing if self.moved is not None else ()
        problems = [item for item in self.report.problems if "the slide is not at" not in item]
        return [*problems, *(f"{name}: the image file is missing; QuPath asks where it is." for name in missing)]


@dataclass(frozen=True)
class QuPathProject:
    """A project as `inspect` describes it; `images` are plain data."""

    uri: str
    version: str
    path: str
    created: int
    modified: int
    images: list[dict[str, Any]] = field(default_factory=list)
    classes: list[dict[str, Any]] = field(default_factory=list)


def how_for(installation: Installation | None) -> How:
    """How objects are handed over to a version, as the setting `qupath_objects` says (auto, qpdata, script)."""
    from launchpad.settings import load_settings

    wanted = load_settings().qupath_objects
    if wanted == "auto":
        return How(script=installation is not None and not installation.reads_qpdata)
    return How(script=wanted == "script")


def prepare_run(
    run_folder: Path,
    *,
    installation: Installation | None = None,
    slides: SlideService | None = None,
    progress: Progress | None = None,
) -> tuple[Report, Moved]:
    """Bring the project of a run up to date and point its images at their files, without starting QuPath.

    Raises:
        NotFound: the results are not on this computer.
        LaunchpadError: the project is damaged, is open in QuPath, or cannot be written.
        Cancelled: the progress was cancelled.
    """
    facts = load(run_folder)
    how = how_for(installation)
    refuse_open(run_folder / FOLDER)
    report = add_run(run_folder, facts, slides=slides, progress=progress, how=how)
    if not (run_folder / FOLDER / PROJECT_FILE).is_file():
        raise NotFound(
            "There is nothing to show in QuPath",
            detail="No slide of this run has results on this computer.",
            advice="Download the results first.",
            subject=str(run_folder),
        )
    if how.script and installation is not None and (report.added or report.updated or report.beside):
        _import_by_script(run_folder / FOLDER, installation, report)
    return report, correct_images(run_folder / FOLDER)


def open_run(
    run_folder: Path,
    item: str | None = None,
    *,
    installation: Installation | None = None,
    slides: SlideService | None = None,
    progress: Progress | None = None,
) -> Opened:
    """Show a run in QuPath, at a slide (`item` is its item id, external id or name); QuPath goes on by itself.

    Raises:
        QuPathMissing: there is no QuPath on this computer.
        NotFound: the results are not on this computer, or there is no such slide.
        LaunchpadError: the project cannot be written, or QuPath does not start.
        Cancelled: the progress was cancelled.
    """
    chosen = installation or installed.best()
    project = run_folder / FOLDER
    report: Report | None = None
    places: Moved | None = None
    if not is_open(project):
        report, places = prepare_run(run_folder, installation=chosen, slides=slides, progress=progress)
    image = image_of(run_folder, item) if item else ""
    return Opened(launch(chosen, project, image or None), project, image, report, places)


def image_of(run_folder: Path, item: str) -> str:
    """The name of the newest image of a slide in the project of a run.

    Raises:
        NotFound: the project has no image of that slide.
    """
    facts = load(run_folder)
    project = open_project(run_folder / FOLDER)
    for known in facts.items:
        if item in (known.item_id, known.external_id, known.name):
            ids = project.of(known.item_id, "slide")
            entry = project.entry(ids[-1]) if ids else None
            if entry is not None:
                return str(entry["imageName"])
    raise NotFound("This slide is not in the QuPath project", advice="Download its results first.", subject=item)


def correct_images(project: Path, folders: Sequence[Path] = ()) -> Moved:
    """Point the images of a project at files that have moved; the old project file stays as `.backup`.

    Raises:
        NotFound: there is no project.
        LaunchpadError: it is damaged, open in QuPath, or cannot be written.
    """
    with edit(open_project(project).folder) as opened:
        found = moved.correct(opened, folders)
        if found.moved:
            refuse_open(opened.folder)
            opened.save(backup=True)
    return found


def _import_by_script(project: Path, chosen: Installation, report: Report) -> None:
    """Let QuPath itself read the copies; what it wrote then counts as written by Launchpad."""
    code = run_script(chosen, project / "scripts" / SCRIPT_NAME, project=project, save=True)
    if code:
        report.problems.append(
            f"QuPath's import of the objects ended with {code}; run it by Automate > Project scripts."
        )
        return
    with edit(project) as opened:
        for entry_id, note in opened.notes.items():
            path = opened.data_folder(entry_id) / "data.qpdata"
            if not note.written and path.is_file():
                note.written = sha256(path)
        opened.save()


def refuse_open(project: Path) -> None:
    """Raise LaunchpadError while a QuPath has the project open, as far as that can be seen."""
    if is_open(project):
        raise LaunchpadError(
            "The project is open in QuPath",
            detail="QuPath would write over what is added now.",
            advice="Save your work and close QuPath, then try again.",
            subject=str(project),
        )


def _found(platform_system: str | None) -> list[Installation]:
    """The installations of this computer, none where another system is asked for."""
    return installed.find() if platform_system in (None, platform.system()) else []


class Service:
    """QuPath with the names of the old SDK; all functions are static."""

    @staticmethod
    def install_qupath(
        version: str = DEFAULT_VERSION,
        path: Path | None = None,
        reinstall: bool = True,
        platform_system: str | None = None,
        platform_machine: str | None = None,
        download_progress: Callable[[Path, int, int], None] | None = None,
        extract_progress: Callable[..., None] | None = None,
        progress_queue: Queue | None = None,
        *,
        accept_unverified: Callable[[Release], bool] | None = None,
        progress: Progress | None = None,
    ) -> Path:
        """Install a version; the path of its program. Raises as `installation.release` and `installation.install`.

        `download_progress` gets the archive's path, its size and the bytes that came since the last call;
        `extract_progress` the folder, and as `application_size` its bytes; the queue an `InstallProgress` each time.
        """
        chosen = release(version, platform_system, platform_machine)
        archive = (path or installed.own_folder()) / chosen.name
        telling = moments.Installing(chosen.version, archive, download_progress, progress_queue)
        made = installed.install(
            chosen,
            path,
            reinstall=reinstall,
            accept_unverified=accept_unverified,
            progress=moments.Told(telling.tell, progress),
        )
        if extract_progress is not None:
            size = sum(file.stat().st_size for file in made.folder.rglob("*") if file.is_file())
            extract_progress(made.folder, application_size=size)
        return made.executable

    @staticmethod
    def uninstall_qupath(
        version: str | None = None,
        path: Path | None = None,
        platform_system: str | None = None,
        platform_machine: str | None = None,
    ) -> bool:
        """Remove what Launchpad installed, of one version or all; whether there was something.

        For whatever system it was: the names of another system and machine are accepted.
        """
        base = path or installed.own_folder()
        found = [item for item in installed.find(sorted(base.glob("QuPath*")) if base.is_dir() else ()) if item.ours]
        inside = [item for item in found if item.folder.is_relative_to(base.resolve())]
        wanted = [item for item in inside if version is None or item.version == version]
        for item in wanted:
            installed.uninstall(item)
        return bool(wanted)

    @staticmethod
    def is_installed(platform_system: str | None = None) -> bool:
        """Whether there is a QuPath on this computer; none of another system is looked for."""
        return bool(_found(platform_system))

    @staticmethod
    def is_qupath_installed() -> bool:
        """As `is_installed`."""
        return bool(installed.find())

    @staticmethod
    def get_version(platform_system: str | None = None) -> str | None:
        """The version of the QuPath that is used, None without one."""
        found = _found(platform_system)
        return (found[0].version or installed.asked_version(found[0])) if found else None

    @staticmethod
    def get_expected_version() -> str:
        """The version that is installed where none is named."""
        return DEFAULT_VERSION

    @staticmethod
    def find_qupath_executable(platform_system: str | None = None) -> Path | None:
        """The program of the QuPath that is used, None without one."""
        found = _found(platform_system)
        return found[0].executable if found else None

    @staticmethod
    def get_installation_path() -> Path:
        """Where Launchpad installs QuPath."""
        return installed.own_folder()

    @staticmethod
    def get_app_dir(
        version: str,
        installation_path: Path,
        platform_system: str | None = None,
        platform_machine: str | None = None,
    ) -> Path:
        """The folder of a version below a folder of installations, whether it is there or not."""
        return Path(installation_path) / f"QuPath-{version}"

    @staticmethod
    def execute_qupath(
        quiet: bool = True,
        project: Path | None = None,
        image: str | Path | None = None,
        script: Path | None = None,
        script_args: Sequence[str] | None = None,
    ) -> int | None:
        """Start QuPath, or a script in it, and return its process id at once; None without a QuPath."""
        found = installed.find()
        if not found:
            return None
        name = str(image) if image is not None else None
        if script is None:
            return launch(found[0], Path(project) if project is not None else None, name, quiet=quiet)
        if not Path(script).is_file():
            raise NotFound("There is no such script", advice="Check the path.", subject=str(script))
        command = [str(found[0].console), "script"]
        if project is not None:
            command += ["-p", str(open_project(Path(project)).file)]
        if name is not None:
            command += ["-i", name]
        for argument in script_args or ():
            command += ["-a", argument]
        return processes.start([*command, str(Path(script).absolute())])

    @staticmethod
    def get_qupath_processes() -> list[QuPathProcess]:
        """The QuPath processes of this account."""
        return processes.running()

    @staticmethod
    def terminate_qupath_processes(wait_before_kill: float = 3) -> int:
        """End the QuPath processes of this account; how many."""
        return processes.terminate(processes.running(), wait_before_kill)

    @staticmethod
    def add(
        project: Path,
        paths: Sequence[Path],
        progress_callable: Callable[[AddProgress], None] | None = None,
        *,
        progress: Progress | None = None,
    ) -> int:
        """Add images to a project, which is made when it is missing; how many are new.

        `progress_callable` is told at each image, and at the end.

        Raises:
            LaunchpadError: the project is open in QuPath, damaged, or cannot be written.
        """
        refuse_open(project)
        counted = 0

        def tell(done: int, total: int, what: str) -> None:
            nonlocal counted
            counted = total
            if progress_callable is not None and total:
                state = moments.AddProgressState.ADDING_IMAGES
                progress_callable(AddProgress(status=state, image_count=total, image_index=done, image_path=Path(what)))

        report = add_images(project, [Path(path) for path in paths], progress=moments.Told(tell, progress))
        if progress_callable is not None:
            state = moments.AddProgressState.COMPLETED
            progress_callable(AddProgress(status=state, image_count=counted, image_index=counted))
        return len(report.added)

    @staticmethod
    def annotate(
        project: Path,
        image: Path,
        annotations: Path,
        progress_callable: Callable[[AnnotateProgress], None] | None = None,
        *,
        progress: Progress | None = None,
    ) -> int:
        """Put the objects of a GeoJSON file on an image of a project, which is added when missing; how many.

        `progress_callable` is told at the start, every 500 objects, and at the end.

        Raises:
            BadInput: the file is no GeoJSON.
            LaunchpadError: the project is open in QuPath, damaged, or cannot be written.
        """
        refuse_open(project)
        if not Path(annotations).is_file():
            raise BadInput("There is no such GeoJSON file", advice="Check the path.", subject=str(annotations))

        def moment(state: moments.AnnotateProgressState, done: int, count: int | None) -> None:
            if progress_callable is not None:
                progress_callable(
                    AnnotateProgress(
                        status=state,
                        image_path=Path(image),
                        annotation_path=Path(annotations),
                        annotation_index=done,
                        annotation_count=count,
                    )
                )

        states = moments.AnnotateProgressState
        moment(states.INITIALIZING, 0, None)
        watch = moments.Told(lambda done, total, what: moment(states.ANNOTATING, done, total or None), progress)
        tally: geojson.Tally = annotate_image(project, Path(image), Path(annotations), progress=watch)
        moment(states.COMPLETED, tally.written, tally.written)
        return tally.written

    @staticmethod
    def inspect(project: Path) -> QuPathProject:
        """What a project holds. Raises NotFound, or LaunchpadError when it is damaged."""
        import json

        opened = open_project(project)
        images = []
        for entry in opened.entries:
            uris = [builder["uri"] for builder in moved.server_builders(entry.get("serverBuilder", {}))]
            entry_id = int(entry.get("entryID", 0))
            note = opened.notes.get(entry_id)
            places = [path for path in map(moved.path_of, uris) if path is not None]
            images.append(
                {
                    "id": entry_id,
                    "name": entry.get("imageName"),
                    "uris": uris,
                    "exists": bool(places) and all(path.is_file() for path in places),
                    "description": entry.get("description", ""),
                    "metadata": entry.get("metadata", {}),
                    "tags": entry.get("tags", []),
                    "has_data": (opened.data_folder(entry_id) / "data.qpdata").is_file(),
                    "objects": note.objects if note is not None and opened.is_untouched(entry_id) else None,
                    "changed_in_qupath": note is not None and not opened.is_untouched(entry_id),
                }
            )
        classes = opened.folder / "classifiers" / "classes.json"
        known = json.loads(classes.read_text(encoding="utf-8"))["pathClasses"] if classes.is_file() else []
        document = opened.document
        return QuPathProject(
            uri=str(document.get("uri", "")),
            version=str(document.get("version", "")),
            path=os.fspath(opened.folder),
            created=int(document.get("createTimestamp", 0)),
            modified=int(document.get("modifyTimestamp", 0)),
            images=images,
            classes=known,
        )


def plain(project: QuPathProject) -> dict[str, Any]:
    """A project as plain data, for JSON."""
    return asdict(project)
