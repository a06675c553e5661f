"""A run's results as a QuPath project in `<run folder>/qupath`: slides with their objects, maps beside them.

Slide by slide, as their results come. What is there already stays; what a person has changed in QuPath is never
written over: newer results become a second image of the slide.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from launchpad import geojson, paths
from launchpad.application.result_slides import slide_file
from launchpad.application.run_folder import FileFacts, ItemFacts, RunFacts
from launchpad.errors import LaunchpadError
from launchpad.progress import Progress
from launchpad.qupath.project import Note, Project, edit, server_metadata, server_of, sha256, unwritable
from launchpad.qupath.qpdata import ImageType, QpdataWriter
from launchpad.qupath.script import write_script

if TYPE_CHECKING:
    from launchpad.wsi.isolation import SlideService
    from launchpad.wsi.metadata import SlideMetadata

FOLDER, OBJECTS, PACKED_OBJECTS = "qupath", "objects.geojson", "objects.geojson.gz"
IMAGE_TYPE = "image-type.txt"
_THUMBNAIL = 512
_STEP = 500  # objects between looks at the progress
_SLIDE, _MAP = "slide", "map"
_SILENT = "generic-tiff"  # OpenSlide's name of a format whose pixel size older OpenSlides do not read


@dataclass
class Report:
    """What was done: names of images, and what a person should know, in sentences."""

    project: Path
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    """New results of slides whose image a person has changed."""
    unchanged: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    objects: int = 0

    def words(self) -> str:
        """A line for people."""
        parts = [
            f"{len(names)} image(s) {words}"
            for names, words in (
                (self.added, "added"),
                (self.updated, "updated"),
                (self.beside, "added beside changed ones"),
                (self.unchanged, "unchanged"),
            )
            if names
        ]
        return f"{', '.join(parts) or 'nothing to add'}; {self.objects} object(s)"


@dataclass(frozen=True)
class How:
    """How objects are handed over: `script` leaves data.qpdata out and lets QuPath import the copies.

    `packed` compresses the GeoJSON copies.
    """

    script: bool = False
    packed: bool = False


def add_run(
    folder: Path,
    facts: RunFacts,
    *,
    slides: SlideService | None = None,
    progress: Progress | None = None,
    how: How = How(),
) -> Report:
    """Bring the project of a run's folder up to date with all that is on disk.

    Raises:
        LaunchpadError: the project is damaged or cannot be written.
        Cancelled: the progress was cancelled; slides that were done stay.
    """
    watch = progress or Progress()
    report = Report(folder / FOLDER)
    with ExitStack() as stack:
        reader = slides or stack.enter_context(_reader())
        for number, item in enumerate(facts.items):
            watch.report(number, len(facts.items), item.name)
            add_item(folder, facts, item, slides=reader, progress=watch, how=how, report=report)
    watch.report(len(facts.items), len(facts.items), "done")
    return report


def add_item(
    folder: Path,
    facts: RunFacts,
    item: ItemFacts,
    *,
    slides: SlideService,
    progress: Progress | None = None,
    how: How = How(),
    report: Report | None = None,
) -> Report:
    """Add one slide's results to the project of a run's folder. Raises as `add_run`."""
    watch = progress or Progress()
    done = report or Report(folder / FOLDER)
    objects = [file for file in item.files if file.media_type == "application/geo+json" and not file.problem]
    done.problems += [f"{file.file}: {file.problem}." for file in item.files if file.problem]
    if not any(not file.problem for file in item.files):
        return done  # no results: the slide failed, which README and run page say
    with edit(folder / FOLDER) as project:
        before = json.dumps([project.document, [vars(note) for note in project.notes.values()]])
        try:
            slide = slide_path(folder, item)
            entry_id = _slide_entry(project, folder, facts, item, slide, objects, done, slides)
            if entry_id is not None:
                _write_objects(project, entry_id, folder, item, objects, done, watch, how)
                project.notes[entry_id].source = _fingerprint(folder, objects)
                _thumbnail(project, entry_id, slide, slides, done)
            for file in item.files:
                if file.media_type.startswith("image/") and not file.problem:
                    _map_entry(project, folder, item, slide, file, done)
            if before != json.dumps([project.document, [vars(note) for note in project.notes.values()]]):
                write_script(project.folder)
                paths.write_atomic(project.folder / "README.txt", _readme(facts).encode("utf-8", "replace"))
                project.save()
        except OSError as error:
            raise unwritable(project.folder, error) from error
    return done


def slide_path(folder: Path, item: ItemFacts) -> Path:
    """Where the slide of an item is, or where it should be."""
    if re.match(r"\w+://", item.external_id):
        return slide_file(folder, item.external_id)
    named = Path(item.external_id)
    if named.is_absolute() and named.is_file():
        return named
    windows = re.match(r"[A-Za-z]:\\|\\\\", item.external_id)
    name = PureWindowsPath(item.external_id).name if windows else named.name
    for place in (folder / "input", folder, folder.parent):
        if (place / name).is_file():
            return place / name
    return named if named.is_absolute() else folder / "input" / name


def _reader() -> SlideService:
    from launchpad.wsi.isolation import SlideService

    return SlideService(workers=1)


def _fingerprint(folder: Path, files: list[FileFacts]) -> str:
    digest = hashlib.sha256()
    for file in files:
        status = (folder / file.file).stat()
        mark = file.crc32c or str(status.st_mtime_ns)
        digest.update(f"{file.artifact}\0{status.st_size}\0{mark}\0".encode())
    return digest.hexdigest()


# --- the image of a slide ---------------------------------------------------------------------------------------------
def _slide_entry(
    project: Project,
    folder: Path,
    facts: RunFacts,
    item: ItemFacts,
    slide: Path,
    objects: list[FileFacts],
    done: Report,
    slides: SlideService,
) -> int | None:
    """The image to write the objects into; None where it has them."""
    ids = project.of(item.item_id, _SLIDE)
    source = _fingerprint(folder, objects)
    name = slide.name
    if any(project.notes[number].source == source for number in ids):
        done.unchanged.append(name)
        return None
    if ids and project.is_untouched(ids[-1]):
        entry = project.entry(ids[-1])
        if entry is not None:
            entry["metadata"] = {**entry.get("metadata", {}), **_metadata(facts, item)}
        done.updated.append(name)
        return ids[-1]
    if ids:
        name = f"{name} (results of {time.strftime('%Y-%m-%d')})"
    server = slide_server(slide, slide.name, item.mpp, slides, done.problems)
    note = Note(item.item_id, _SLIDE, file=str(slide))
    entry_id = project.add(name, server, _metadata(facts, item), note, _description(facts))
    entry = project.entry(entry_id)
    (done.beside if ids else done.added).append(str(entry["imageName"]) if entry else name)
    return entry_id


def slide_server(
    slide: Path, name: str, mpp: float | None, slides: SlideService, problems: list[str]
) -> dict[str, object]:
    """The `serverBuilder` of a slide: with its pixel size (`mpp`, µm) where the file has none, uncut where it would be.

    What a person should know is added to `problems`.
    """
    if not slide.is_file():
        problems.append(f"{name}: the slide is not at {slide}. QuPath asks for it; its results are in the project.")
        return server_of(slide)
    try:
        metadata: SlideMetadata = slides.describe(slide, ()).metadata
    except LaunchpadError as error:
        problems.append(f"{name}: {error.title}. {error.detail}")
        return server_of(slide)
    if metadata.vendor == "dicom":
        return server_of(slide)
    whole = metadata.bounds != (0, 0, metadata.width, metadata.height)
    known = metadata.mpp_x if metadata.vendor != _SILENT else None
    mpp = mpp or metadata.mpp_x
    if known is not None or mpp is None:
        return server_of(slide, whole=whole)
    levels = [(level.downsample, level.width, level.height) for level in metadata.levels]
    return server_of(slide, server_metadata(name, (metadata.width, metadata.height), mpp, levels), whole=whole)


def _metadata(facts: RunFacts, item: ItemFacts) -> dict[str, str]:
    found = {
        "Platform": facts.platform,
        "Application": facts.application,
        "Version": facts.version,
        "Engine": facts.engine,
        "Run": facts.run_id,
        "Item": item.item_id,
        "State": item.state,
        "Tissue": item.value("tissue"),
        "Disease": item.value("disease"),
        "Staining": item.value("staining_method"),
    }
    return {key: value for key, value in found.items() if value}


def _description(facts: RunFacts) -> str:
    words = f"Results of {facts.application} {facts.version} ({facts.platform}), run {facts.run_id}."
    return f"{words} For research use only, not a diagnostic device."


def _image_type(item: ItemFacts) -> ImageType:
    stain = item.value("staining_method").upper()
    if stain in ("H&E", "HE", "H+E"):
        return "BRIGHTFIELD_H_E"
    return "BRIGHTFIELD_H_DAB" if "DAB" in stain or "IHC" in stain else "BRIGHTFIELD_OTHER"


def _write_objects(
    project: Project,
    entry_id: int,
    folder: Path,
    item: ItemFacts,
    objects: list[FileFacts],
    done: Report,
    progress: Progress,
    how: How,
) -> None:
    """data.qpdata and its copy as GeoJSON, in one pass over the results."""
    data = project.data_folder(entry_id)
    data.mkdir(parents=True, exist_ok=True)
    entry = project.entry(entry_id) or {}
    tally = geojson.Tally()
    copy = data / (PACKED_OBJECTS if how.packed else OBJECTS)
    (data / (OBJECTS if how.packed else PACKED_OBJECTS)).unlink(missing_ok=True)
    qpdata, image_type = data / "data.qpdata", _image_type(item)
    classes: dict[str, tuple[int, int, int]] = {}
    # The script finds the type of the image here, since it cannot be read from a data.qpdata that is not there.
    paths.write_atomic(data / IMAGE_TYPE, image_type.encode())
    with (
        nullcontext() if how.script else QpdataWriter(qpdata, entry["serverBuilder"], image_type) as writer,
        geojson.FeatureWriter(copy) as text,
    ):
        for feature in geojson.in_order(_features(folder, objects, done), tally):
            if writer is not None:
                writer.write(feature)
            text.write_in_order(feature)
            if (known := feature["properties"].get("classification")) is not None:
                classes.setdefault(known["name"], known["color"])
            if tally.written % _STEP == 0:
                progress.check()
    done.objects += tally.written
    if tally.words():
        done.problems.append(f"{item.name}: {tally.words()}")
    note = project.notes[entry_id]
    note.objects, note.written = tally.written, "" if how.script else sha256(qpdata)
    project.add_classes(classes)


def _features(folder: Path, objects: list[FileFacts], done: Report) -> Iterator[geojson.Feature]:
    """Regions before what lies in them, as QuPath draws them."""
    for file in sorted(objects, key=lambda item: (folder / item.file).stat().st_size):
        try:
            yield from geojson.read_features(folder / file.file)
        except LaunchpadError as error:
            done.problems.append(f"{file.file}: {error.title}: {error.detail} What could be read is in the project.")


def _thumbnail(project: Project, entry_id: int, slide: Path, slides: SlideService, done: Report) -> None:
    if not slide.is_file():
        return
    try:
        png = slides.thumbnail(slide, _THUMBNAIL)
    except LaunchpadError as error:
        done.problems.append(f"{slide.name}: no thumbnail: {error.title}.")
        return
    paths.write_atomic(project.data_folder(entry_id) / "thumbnail.jpg", jpeg(png))


def jpeg(png: bytes) -> bytes:
    """A PNG as JPEG, as QuPath keeps thumbnails."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


# --- maps beside their slide ------------------------------------------------------------------------------------------
def _map_entry(project: Project, folder: Path, item: ItemFacts, slide: Path, file: FileFacts, done: Report) -> None:
    key = f"{item.item_id}/{file.artifact}"
    path = folder / file.file
    if project.of(key, _MAP):
        return
    words = file.artifact.replace("_", " ").replace(":", " ").replace("tiff segmap", "map")
    metadata = {"Shows": words, "Slide": slide.name, "Item": item.item_id}
    note = Note(key, _MAP, file=str(path))
    entry_id = project.add(f"{slide.name} – {words}", server_of(path), metadata, note)
    entry = project.entry(entry_id) or {}
    data = project.data_folder(entry_id)
    data.mkdir(parents=True, exist_ok=True)
    with QpdataWriter(data / "data.qpdata", entry["serverBuilder"], "OTHER"):
        pass  # no objects; the type keeps QuPath from asking for it
    note.written = sha256(data / "data.qpdata")
    done.added.append(str(entry["imageName"]))


def _readme(facts: RunFacts) -> str:
    return f"""QuPath project with the results of a Launchpad run. For research use only, not a diagnostic device.

Platform:    {facts.platform} ({facts.api_root})
Application: {facts.application}
Version:     {facts.version}
Engine:      {facts.engine or "said by the results"}
Run:         {facts.run_id}

- project.qpproj: open this one in QuPath 0.5 or newer
- data/<number>: what QuPath keeps of an image. The number is the image's id, see project.qpproj.
  - data.qpdata: its objects (regions, cells, classes, measurements), where QuPath reads and saves them.
    Do not delete it: your annotations are in it.
  - {OBJECTS}: the same objects as Launchpad wrote them, for other programs; QuPath does not read it by itself
- classifiers/classes.json: the classes with their colours
- scripts: for Automate > Project scripts, to import the objects again from {OBJECTS}
- launchpad.json: what Launchpad wrote, so that it never overwrites what you changed: newer results of a slide
  that you worked on become a second image “… (results of DATE)”
- the slides stay where they are. When you move them, open the project by Launchpad (Open in QuPath, or
  launchpad qupath launch): it finds them again and keeps the old project file as project.qpproj.backup.
"""
