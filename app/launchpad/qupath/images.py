"""Images and annotations of one's own in a project, without a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad import geojson, paths
from launchpad.errors import LaunchpadError, NotFound
from launchpad.progress import Progress
from launchpad.qupath.from_run import OBJECTS, PACKED_OBJECTS, Report, jpeg, slide_server
from launchpad.qupath.moved import path_of, server_builders
from launchpad.qupath.project import Note, Project, edit, sha256, unwritable
from launchpad.qupath.qpdata import QpdataWriter

if TYPE_CHECKING:
    from launchpad.wsi.isolation import SlideService

_THUMBNAIL = 512
_KIND = "image"


def add_images(
    folder: Path, files: list[Path], *, slides: SlideService | None = None, progress: Progress | None = None
) -> Report:
    """Add slides to the project of a folder (made when missing); of folders, all slides in them.

    What cannot be taken is a problem of the report. Images that are there already are left alone.

    Raises:
        NotFound: a path does not exist.
        LaunchpadError: the project is damaged or cannot be written.
        Cancelled: the progress was cancelled.
    """
    from launchpad.wsi.discovery import FoundSlide, find
    from launchpad.wsi.isolation import SlideService

    watch = progress or Progress()
    report = Report(folder)
    missing = next((path for path in files if not path.exists()), None)
    if missing is not None:
        raise NotFound("There is no such file or folder", advice="Check the path.", subject=str(missing))
    with ExitStack() as stack:
        reader = slides or stack.enter_context(SlideService(workers=1))
        project = stack.enter_context(edit(folder))
        everything = list(find(files, watch))
        for number, found in enumerate(everything):
            watch.report(number, len(everything), str(found.path))
            if not isinstance(found, FoundSlide):
                report.problems.append(f"{found.path}: {found.reason}. {found.advice}")
                continue
            if not paths.is_unicode(found.path):
                report.problems.append(f"{found.path}: The name of the file or its folder is not Unicode. Rename it.")
                continue
            if entry_of(project, found.path) is not None:
                report.unchanged.append(found.path.name)
                continue
            add_image(project, found.path, reader, report)
        project.add_classes({})
        project.save()
    return report


def add_image(project: Project, path: Path, slides: SlideService, report: Report) -> int:
    """Add one slide with its thumbnail; the id of its entry."""
    server = slide_server(path, path.name, None, slides, report.problems)
    entry_id = project.add(path.name, server, {}, Note(str(path), _KIND, file=str(path)))
    entry = project.entry(entry_id) or {}
    report.added.append(str(entry["imageName"]))
    try:
        data = project.data_folder(entry_id)
        data.mkdir(parents=True, exist_ok=True)
        paths.write_atomic(data / "thumbnail.jpg", jpeg(slides.thumbnail(path, _THUMBNAIL)))
    except OSError as error:
        raise unwritable(project.folder, error) from error
    except LaunchpadError as error:
        report.problems.append(f"{path.name}: no thumbnail: {error.title}.")
    return entry_id


def entry_of(project: Project, path: Path) -> int | None:
    """The newest image of a file."""
    wanted = path.absolute()
    found = [
        int(entry["entryID"])
        for entry in project.entries
        for builder in server_builders(entry.get("serverBuilder", {}))
        if path_of(builder["uri"]) == wanted
    ]
    return found[-1] if found else None


def annotate_image(
    folder: Path,
    image: Path,
    annotations: Path,
    *,
    slides: SlideService | None = None,
    progress: Progress | None = None,
) -> geojson.Tally:
    """Add the objects of a GeoJSON file to an image (a file, or the name of an image of the project).

    Objects that Launchpad wrote before stay. Where a person has changed the image in QuPath, it is left as it is and
    the objects come on a second image of the slide.

    Raises:
        NotFound: there is no such image.
        BadInput: the file is no GeoJSON.
        LaunchpadError: the project is damaged or cannot be written.
    """
    from launchpad.wsi.isolation import SlideService

    watch = progress or Progress()
    tally, report = geojson.Tally(), Report(folder)
    with ExitStack() as stack:
        reader = slides or stack.enter_context(SlideService(workers=1))
        project = stack.enter_context(edit(folder))
        entry_id = _wanted(project, image, reader, report)
        entry = project.entry(entry_id) or {}
        if not project.is_untouched(entry_id):
            name = f"{entry['imageName']} (annotations of {time.strftime('%Y-%m-%d')})"
            note = Note(str(image), _KIND, file=str(image))
            entry_id = project.add(name, entry["serverBuilder"], entry.get("metadata", {}), note)
            entry = project.entry(entry_id) or {}
        data = project.data_folder(entry_id)
        try:
            data.mkdir(parents=True, exist_ok=True)
            before = next((data / name for name in (OBJECTS, PACKED_OBJECTS) if (data / name).is_file()), None)
            classes: dict[str, tuple[int, int, int]] = {}
            path = data / "data.qpdata"
            kept = 0
            with QpdataWriter(path, entry["serverBuilder"]) as writer, geojson.FeatureWriter(data / OBJECTS) as copy:
                for feature in _kept(before):
                    writer.write(feature)
                    copy.write_in_order(feature)
                    kept += 1
                for feature in geojson.in_order(geojson.read_features(annotations), tally):
                    writer.write(feature)
                    copy.write_in_order(feature)
                    if tally.written % 500 == 0:
                        watch.report(tally.written, 0, annotations.name)
                classes.update(writer.classes)
        except OSError as error:
            raise unwritable(project.folder, error) from error
        note = project.notes.setdefault(entry_id, Note(str(image), _KIND, file=str(image)))
        note.written, note.objects = sha256(path), kept + tally.written
        project.add_classes(classes)
        project.save()
    return tally


def _kept(path: Path | None) -> Iterator[geojson.Feature]:
    return geojson.in_order(geojson.read_features(path), geojson.Tally()) if path is not None else iter(())


def _wanted(project: Project, image: Path, slides: SlideService, report: Report) -> int:
    named = project.named(str(image))
    if named is not None:
        return int(named["entryID"])
    path = image.expanduser().absolute()
    found = entry_of(project, path)
    if found is not None:
        return found
    if not path.is_file():
        raise NotFound(
            "There is no such image",
            advice="Name a slide file, or an image of the project by its name.",
            subject=str(image),
        )
    return add_image(project, path, slides, report)
