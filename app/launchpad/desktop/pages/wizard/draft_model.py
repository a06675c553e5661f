"""The view-model of the wizard: one draft, its slide table and undo stack, the scan for slides, saving, restoring."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QPixmap, QUndoStack

from launchpad.application.columns import columns, mpp_limits
from launchpad.application.draft import Problem, Slide, SubmissionDraft, load_drafts
from launchpad.desktop.background import Job, Jobs, in_thread
from launchpad.desktop.models.slide_table import SlideTableModel
from launchpad.desktop.models.thumbnails import Thumbnails
from launchpad.desktop.models.words import counted
from launchpad.desktop.pages.wizard.draft_keeper import DraftKeeper
from launchpad.desktop.pages.wizard.recent_things import RecentThings
from launchpad.desktop.session import Session
from launchpad.errors import LaunchpadError
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.platform.models import ApplicationReadResponse, VersionReadResponse
    from launchpad.wsi.discovery import Rejected
    from launchpad.wsi.isolation import SlideService

_log = logging.getLogger(__name__)

DUE_AFTER = timedelta(hours=6)
DEADLINE_AFTER = timedelta(hours=24)

STEP_FIND, STEP_SLIDES, STEP_NOTES, STEP_SCHEDULE, STEP_SUBMIT = 2, 3, 4, 5, 6


class DraftModel(QObject):
    """All that the steps show and change. Widgets hold no state of their own.

    Signals:
        changed: the draft is different: problems and texts may be, too.
        loaded: the application and its versions are known.
        version_loaded: the details of the chosen version are known.
        restored: an earlier draft was taken up; words for the banner.
        scan_changed: the search for slides began, moved on or ended.
        failed: an exception for the person to see.
        imported: values of a table were taken; the `Applied`.
    """

    changed = Signal()
    loaded = Signal()
    version_loaded = Signal()
    restored = Signal(str)
    scan_changed = Signal()
    failed = Signal(object)
    imported = Signal(object)

    def __init__(
        self,
        session: Session,
        jobs: Jobs,
        application_id: str,
        parent: QObject | None = None,
        *,
        draft_id: str = "",
    ) -> None:
        super().__init__(parent)
        self._wanted = draft_id
        self._session = session
        self._jobs = jobs
        self.application_id = application_id
        self.application: ApplicationReadResponse | None = None
        self.draft = self._new_draft()
        self.stack = QUndoStack(self)
        self.recent = RecentThings(session, self)
        self.thumbnails = Thumbnails(lambda: session.slides, session.spawn, parent=self)
        self.slides = SlideTableModel(self.draft, self.stack, self, picture=self._picture)
        self.rejected: dict[Path, Rejected] = {}
        self.scan: Job | None = None
        self.last_scan: tuple[int, int] | None = None
        """Slides that the last search added, and those that were in the list already."""
        self._details: dict[str, VersionReadResponse] = {}
        self._entries: deque[Slide | Rejected] = deque()
        self._queue: list[Path] = []
        self._scanned: tuple[Path, ...] = ()
        self._seen: set[Path] = set()
        self._new: set[str] = set()
        self._added = self._doubles = 0
        self._known: list[Problem] | None = None
        self._ended = False
        self._loading = False
        self._keeper = DraftKeeper(self.snapshot, session, jobs, self)
        self._keeper.failed.connect(self.failed)
        self.slides.edited.connect(self.touch)
        session.connected.connect(self._connected)
        self.thumbnails.ready.connect(self.slides.announce_picture)

    # Application and version

    def start(self) -> None:
        """Load the application and the draft that was left."""
        if self._session.is_connected:
            self._loading = True
            self._session.spawn(self._load())

    @Slot()
    def _connected(self) -> None:
        if self.application is None and not self._loading:
            self.start()

    @property
    def version(self) -> VersionReadResponse | None:
        """Details of the chosen version, None until they are loaded."""
        return self._details.get(self.draft.version)

    def versions(self) -> list[str]:
        """Numbers of the application's versions, the newest first."""
        if self.application is None:
            return []
        from launchpad.platform.applications import precedence

        numbers = [str(version.number) for version in self.application.versions]
        return sorted(numbers, key=precedence, reverse=True)

    def choose_version(self, number: str) -> None:
        """Take another version: its schema may ask for other columns, so edits cannot be undone beyond this."""
        if number and number != self.draft.version:
            self.draft.version = number
            self.stack.clear()
            self.touch()
            self._session.spawn(self._load_version(number))

    async def _load(self) -> None:
        try:
            client = self._session.client
            self.application = await in_thread(client.application, self.application_id)
            drafts = await in_thread(load_drafts, self.application_id)
        except LaunchpadError as error:
            self._report(error)
            return
        finally:
            self._loading = False
        if self._ended:
            return
        drafts.sort(key=lambda draft: draft.id != self._wanted)
        left = next((draft for draft in drafts if _has_content(draft)), None)
        if left is not None and not _has_content(self.draft):
            self._adopt(left)
        numbers = self.versions()
        if self.draft.version not in numbers:
            self.draft.version = numbers[0] if numbers else ""
        self.loaded.emit()
        self._announce()
        if self.draft.version:
            await self._load_version(self.draft.version)

    async def _load_version(self, number: str) -> None:
        try:
            if number not in self._details:
                client = self._session.client
                self._details[number] = await in_thread(client.application_version, self.application_id, number)
        except LaunchpadError as error:
            self._report(error)
            return
        if self._ended or number != self.draft.version:  # another one was chosen meanwhile
            return
        inputs = self._details[number].input_artifacts
        schema: Mapping[str, Any] = inputs[0].metadata_schema if inputs else {}
        self.slides.set_mpp_limits(mpp_limits(schema))
        # What is known beforehand stands last: the eye goes to what is to be filled in.
        self.slides.set_columns(tuple(sorted(columns(schema), key=lambda column: column.default is not None)))
        self.version_loaded.emit()
        self._announce()
        self._start_scan()
        await in_thread(self._session.slides.start)  # the first slides shall not wait for the readers

    # What is missing

    def problems(self, step: int = STEP_SUBMIT) -> list[Problem]:
        """What stands in the way of leaving this step."""
        if self._known is None:
            self._known = self.draft.problems()
        return [problem for problem in self._known if problem.step <= step]

    def check_again(self) -> None:
        """Look once more for what is missing: time has passed, and a due date with it."""
        self._announce()

    def obstacle(self, step: int) -> str:
        """One sentence that says why one cannot go on from this step; "" when one can."""
        can_submit, reason = self._session.can_submit
        if not can_submit:
            return reason
        if self.version is None:
            return self.tr("The version's details are being loaded.")
        if step >= STEP_FIND and self.scan is not None:
            return self.tr("Slides are being read.")
        problems = self.problems(step)
        slides = {problem.slide_id for problem in problems if problem.slide_id}
        others = [problem for problem in problems if not problem.slide_id]
        if others:
            return others[0].message
        if len(slides) == 1:
            return problems[0].message
        return self.tr("Complete %n slides to continue", "", len(slides)) if slides else ""

    # Slides

    def add_sources(self, paths: Iterable[Path]) -> None:
        """Look for slides in these files and folders, after what is being looked at now."""
        for path in paths:
            self._queue.append(path)
            if path not in self.draft.sources:
                self.draft.sources.append(path)
        self.recent.keep("folder", [str(path if not path.suffix else path.parent) for path in self._queue])
        self._start_scan()

    @Slot(str)
    def import_values(self, path: str) -> None:
        """Take values for the slides from a table; `imported` or `failed` follows."""
        self._session.spawn(self._import(Path(path)))

    async def _import(self, path: Path) -> None:
        from launchpad.application.spreadsheet import apply_table

        try:
            applied = await in_thread(apply_table, path, tuple(self.draft.slides), self.draft.columns)
        except LaunchpadError as error:
            self._report(error)
            return
        if not self._ended:
            self.slides.take_values(applied.slides)
            self.imported.emit(applied)

    def cancel_scan(self) -> None:
        """Stop looking; what was found stays."""
        self._queue.clear()
        if self.scan is not None:
            self.scan.cancel()

    def scan_words(self) -> str:
        """What the search is at."""
        latest = None if self.scan is None else self.scan.report.latest
        return latest[2] if latest else ""

    def forget_rejected(self) -> None:
        """Empty the list of files that could not be used."""
        self.rejected.clear()
        self.scan_changed.emit()

    def _start_scan(self) -> None:
        if self.scan is not None or not self._queue or self.version is None or self._ended:
            return
        paths, self._queue = self._queue, []
        self._scanned, self._seen, self._new = tuple(paths), set(), set()
        for path in paths:
            self.rejected.pop(path, None)
        self._added = self._doubles = 0
        self.scan = Job(
            self.tr("Read slides"),
            partial(_find, paths, self.version, self._session.slides, self._entries.append),
        )
        self.scan.progress.connect(self._scan_moved)
        self.scan.finished.connect(self._scan_finished)
        self.scan.failed.connect(self._scan_failed)
        self.scan.cancelled.connect(self._scan_ended)
        self._jobs.start(self.scan)
        self.scan_changed.emit()
        self._announce()

    def _picture(self, slide: Slide) -> QPixmap | None:
        return None if slide.error else self.thumbnails.pixmap(slide.path, slide.crc32c or "")

    def _take_entries(self) -> None:
        if not self._entries:
            return
        from launchpad.wsi.discovery import Rejected

        found: list[Slide] = []
        while self._entries:
            entry = self._entries.popleft()
            if isinstance(entry, Rejected):
                self.rejected[entry.path] = entry
                self._seen.add(entry.path)
            else:
                found.append(entry)
                self._seen.update(entry.files)
        if found:
            before = {slide.external_id for slide in self.draft.slides}
            self._new |= {slide.external_id for slide in found} - before
            added = self.slides.add(found)
            self._added += added
            self._doubles += len(found) - added

    @Slot()
    def _scan_moved(self) -> None:
        self._take_entries()
        self.scan_changed.emit()

    @Slot(object)
    def _scan_finished(self, prepared: object) -> None:
        """Its slides came one by one; left are the folders in which there was nothing."""
        from launchpad.application.prepare import Prepared
        from launchpad.wsi.discovery import Rejected

        self._take_entries()
        if isinstance(prepared, Prepared) and self._added > 1:
            # They came as they were ready; those that were in the list already keep their place.
            self.slides.arrange(slide.external_id for slide in prepared.slides if slide.external_id in self._new)
        for path in self._scanned:
            if not any(file == path or path in file.parents for file in self._seen):
                reason = self.tr("No slides were found in this folder")
                advice = self.tr("Choose a folder that holds SVS, TIFF or DICOM files, or another one above it.")
                self.rejected[path] = Rejected(path, reason, advice)
        self._scan_ended()

    @Slot(object)
    def _scan_failed(self, error: object) -> None:
        self._scan_ended()
        self.failed.emit(error)

    @Slot()
    def _scan_ended(self) -> None:
        self._take_entries()
        self.scan = None
        self.last_scan = (self._added, self._doubles)
        self._start_scan()
        self.scan_changed.emit()
        self.touch()

    # Notes and schedule

    def set_note(self, note: str) -> None:
        """Keep the note."""
        if note != self.draft.note:
            self.draft.note = note
            self.touch()

    def add_tag(self, tag: str) -> bool:
        """Add a tag; False when it is empty or there already."""
        tag = tag.strip()
        if not tag or tag in self.draft.tags:
            return False
        self.draft.tags.append(tag)
        self.recent.keep("tag", [tag])
        self.touch()
        return True

    def remove_tag(self, tag: str) -> None:
        """Take a tag away."""
        if tag in self.draft.tags:
            self.draft.tags.remove(tag)
            self.touch()

    def set_schedule(self, due_date: datetime | None, deadline: datetime | None) -> None:
        """Set both times (with time zone), None for no limit."""
        if (due_date, deadline) != (self.draft.due_date, self.draft.deadline):
            self.draft.due_date, self.draft.deadline = due_date, deadline
            self.touch()

    # Keeping

    @Slot()
    def touch(self) -> None:
        """Something has changed: tell the steps, save in a moment."""
        self._announce()
        if not self._ended and (self._keeper.kept or _has_content(self.draft)):
            self._keeper.save_soon()

    def discard(self) -> None:
        """Forget this draft and begin a new one with the same version."""
        self.cancel_scan()
        if self._keeper.kept:
            self._keeper.forget(self.draft.id)
        fresh = self._new_draft()
        fresh.version, fresh.columns = self.draft.version, self.draft.columns
        self.rejected.clear()
        self.last_scan = None
        self._show(fresh)

    def begin_anew(self) -> None:
        """After a run was submitted: an empty draft for the next one."""
        self._ended = False
        self._keeper.resume()
        self.discard()

    def end(self) -> None:
        """The run was submitted, or the page is left for good: nothing is saved any more."""
        self._ended = True
        self._keeper.stop()
        self.thumbnails.pause()

    def forget(self) -> None:
        """The run was submitted; a save that was under way meanwhile must not bring the draft back."""
        self._keeper.forget(self.draft.id)
        self.end()

    def leave(self) -> None:
        """The page goes away: stop looking for slides, save at once what has changed."""
        self.cancel_scan()
        self._keeper.save_now()
        self.recent.end()
        self.end()

    def snapshot(self) -> SubmissionDraft:
        """A copy for another thread; slides are frozen, so only the lists are copied."""
        draft = self.draft
        return replace(draft, slides=list(draft.slides), tags=list(draft.tags), sources=list(draft.sources))

    def _report(self, error: LaunchpadError) -> None:
        if self._ended:  # the page may be gone, and its signals with it
            _log.error("draft %s: %s", self.draft.id, error.title)
        else:
            self.failed.emit(error)

    def _announce(self) -> None:
        self._known = None
        self.changed.emit()

    def _new_draft(self) -> SubmissionDraft:
        draft = SubmissionDraft(self.application_id)
        draft.due_date, draft.deadline = default_schedule()
        return draft

    def _adopt(self, draft: SubmissionDraft) -> None:
        now = datetime.now().astimezone()
        late = any(value is not None and value <= now for value in (draft.due_date, draft.deadline))
        if late:
            draft.due_date, draft.deadline = default_schedule()
        self._keeper.kept = True
        self._show(draft)
        count = len(draft.slides)
        words = counted(
            count,
            self.tr("Your draft with 1 slide is back as you left it."),
            self.tr("Your draft with %n slides is back as you left it.", "", count),
        )
        if late:
            words += " " + self.tr("Its schedule had passed and was set to start now.")
        self.restored.emit(words)

    def _show(self, draft: SubmissionDraft) -> None:
        self.draft = draft
        self.stack.clear()
        self.slides.replace_draft(draft)
        self.scan_changed.emit()
        self._announce()


def default_schedule() -> tuple[datetime, datetime]:
    """Due in six hours, deadline in twenty-four, in local time, to the minute."""
    now = datetime.now().astimezone().replace(second=0, microsecond=0)
    return now + DUE_AFTER, now + DEADLINE_AFTER


def _has_content(draft: SubmissionDraft) -> bool:
    return bool(draft.slides or draft.note or draft.tags)


def _find(
    paths: Sequence[Path],
    version: VersionReadResponse,
    slides: SlideService,
    on_slide: Callable[[Slide | Rejected], None],
    progress: Progress,
) -> object:
    """The work of the search, in a worker thread."""
    from launchpad.application.prepare import prepare

    return prepare(paths, version, service=slides, progress=progress, on_slide=on_slide)
