"""The wizard on the real embedded platform with the real sample: what is missing, restoring, scanning, submitting."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from PySide6.QtCore import QDateTime, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDateTimeEdit,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTreeWidget,
    QWidget,
)

from desktop_bench import APPLICATION, Bench, until
from launchpad.application.draft import load_drafts
from launchpad.desktop.navigation import RunPage
from launchpad.desktop.pages.wizard.wizard import WizardPage
from launchpad.desktop.widgets.stepper import StepButton
from launchpad.errors import Unreachable
from launchpad.system.health import unreachable


def get(page: WizardPage, kind: type[Any], name: str) -> Any:
    found = page.findChild(kind, name)
    assert found is not None, name
    return found


def click(page: WizardPage, name: str) -> None:
    button = get(page, QPushButton, name)
    assert button.isVisible(), name
    assert button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def enabled(page: WizardPage) -> bool:
    return bool(get(page, QPushButton, "wizard_next").isEnabled())


def why(page: WizardPage) -> str:
    return str(get(page, QLabel, "wizard_obstacle").text())


async def add(page: WizardPage, path: Path) -> None:
    """Paste a path into the second step and wait until its slides are read."""
    page.open_step(2)
    field = get(page, QLineEdit, "source_path")
    field.setText(str(path))
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == ""
    await until(lambda: page.model.scan is None)


def fill(page: WizardPage) -> None:
    ids = [slide.id for slide in page.model.draft.slides]
    for key, value in (("tissue", "LUNG"), ("disease", "LUNG_CANCER"), ("staining_method", "H&E")):
        assert page.model.slides.set_text(ids, key, value) == []


def test_next_waits_for_what_is_missing_and_back_keeps_it(bench: Bench, sample_svs: Path) -> None:
    async def work() -> None:
        page = await bench.page()
        assert get(page, QComboBox, "version_choice").count() >= 1
        assert get(page, QLabel, "version_changelog").text()
        assert "Tissue" in get(page, QLabel, "version_inputs").text()
        assert "geojson" in get(page, QLabel, "version_outputs").text()
        click(page, "wizard_next")
        assert page.step == 2
        assert not enabled(page)
        assert why(page) == "Add at least one slide."
        assert get(page, QPushButton, "wizard_next").toolTip() == "Add at least one slide."
        page.open_step(6)
        assert page.step == 2, "a step beyond what is missing was opened"
        click(page, "use_sample")
        assert why(page) == "Slides are being read."
        await until(lambda: page.model.scan is None)
        assert get(page, QLabel, "found_label").text() == "1 slide in your list"
        click(page, "wizard_next")
        assert page.step == 3
        assert not enabled(page)
        assert f"{sample_svs.name}: Tissue is missing." in get(page, QPushButton, "wizard_next").toolTip()
        assert page.table.view.currentIndex().column() == page.model.slides.column_of("tissue")
        fill(page)
        assert enabled(page)
        assert why(page) == ""
        click(page, "wizard_next")
        note = get(page, QPlainTextEdit, "note_edit")
        QTest.keyClicks(note, "Second look")
        tag = get(page, QLineEdit, "tag_edit")
        for text in ("sample", "cohort B", "sample"):
            QTest.keyClicks(tag, text)
            QTest.keyClick(tag, Qt.Key.Key_Return)
        assert page.model.draft.tags == ["sample", "cohort B"]
        for _ in range(3):
            click(page, "wizard_back")
        assert page.step == 1
        assert page.model.draft.note == "Second look"
        QTest.mouseClick(get(page, StepButton, "step_4"), Qt.MouseButton.LeftButton)
        assert page.step == 4
        assert note.toPlainText() == "Second look"

    bench.run(work())


def test_files_that_cannot_be_used_are_listed_and_the_others_go_on(
    bench: Bench, sample_svs: Path, sample_dicom: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "Schnitte ä"
    folder.mkdir()
    (folder / "a.svs").symlink_to(sample_svs)
    (folder / "broken.svs").write_text("no slide")
    (folder / "letter.txt").write_text("passed over in a folder")
    empty = tmp_path / "empty"
    empty.mkdir()

    async def work() -> None:
        page = await bench.page()
        for path in (folder, empty, tmp_path / "missing.svs", sample_dicom, folder):
            await add(page, path)
        listed = get(page, QTreeWidget, "rejected_list")
        texts = {
            listed.topLevelItem(row).text(0): listed.topLevelItem(row).text(1)
            for row in range(listed.topLevelItemCount())
        }
        assert set(texts) == {"broken.svs", "empty", "missing.svs"}
        assert "No slides were found" in texts["empty"]
        assert [slide.format for slide in page.model.draft.slides] == ["SVS", "DICOM"]
        assert len(page.model.draft.slides[1].files) > 1
        assert (
            get(page, QLabel, "found_label").text() == "2 slides in your list; 1 of those found now were in it already"
        )
        click(page, "clear_rejected")
        assert not listed.isVisible()

    bench.run(work())


def test_a_search_can_be_stopped(bench: Bench, sample_svs: Path, tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number}.svs").symlink_to(sample_svs)

    async def work() -> None:
        page = await bench.page()
        page.open_step(2)
        page.model.add_sources([tmp_path])
        assert get(page, QWidget, "scan_progress").isVisible()
        click(page, "cancel_scan")
        await until(lambda: page.model.scan is None)
        assert page.model.slides.rowCount() < 60
        assert not get(page, QWidget, "scan_progress").isVisible()

    bench.run(work())


def test_slides_are_dropped_anywhere_on_the_page(bench: Bench, sample_tiff: Path) -> None:
    async def work() -> None:
        page = await bench.page()
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(sample_tiff))])
        enter = QDragEnterEvent(
            QPoint(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(page, enter)
        assert enter.isAccepted()
        drop = QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(page, drop)
        await until(lambda: page.model.slides.rowCount() == 1 and page.model.scan is None)
        assert page.step == 2

    bench.run(work())


def test_a_draft_is_back_after_a_restart_until_it_is_thrown_away(bench: Bench) -> None:
    async def work() -> None:
        page = await bench.page()
        page.open_step(2)
        click(page, "use_sample")
        await until(lambda: page.model.scan is None)
        fill(page)
        page.open_step(4)
        QTest.keyClicks(get(page, QPlainTextEdit, "note_edit"), "keep me")  # and leave before it is saved
        kept = list(page.model.draft.slides)
        await bench.leave(page)

        again = await bench.page()
        banner = get(again, QWidget, "draft_restore")
        assert banner.isVisible()
        assert "1 slide" in banner.text()
        assert again.step == 3
        assert again.model.draft.slides == kept
        assert again.model.draft.note == "keep me"
        click(again, "draft_discard")
        assert again.step == 1
        assert again.model.slides.rowCount() == 0
        assert get(again, QPlainTextEdit, "note_edit").toPlainText() == ""
        await until(lambda: load_drafts(APPLICATION) == [])
        await bench.leave(again)

        third = await bench.page()
        assert not get(third, QWidget, "draft_restore").isVisible()
        assert third.step == 1

    bench.run(work())


def test_a_draft_is_saved_as_it_changes(bench: Bench) -> None:
    async def work() -> None:
        page = await bench.page()
        assert load_drafts(APPLICATION) == [], "an empty draft was kept"
        page.model.add_tag("first")
        await until(lambda: [draft.tags for draft in load_drafts(APPLICATION)] == [["first"]])
        page.model.remove_tag("first")
        await until(lambda: [draft.tags for draft in load_drafts(APPLICATION)] == [[]])

    bench.run(work())


def test_a_draft_that_is_thrown_away_does_not_come_back(bench: Bench) -> None:
    async def work() -> None:
        page = await bench.page()
        keeper = page.model._keeper
        for _ in range(5):
            page.model.set_note("about to go")
            keeper._save()  # a save is under way, or waits for its thread, at the moment of the deletion
            page.model.discard()
            await until(lambda: not keeper._under_way)
            assert load_drafts(APPLICATION) == []

    bench.run(work())


def test_the_schedule_can_be_left_out_and_must_make_sense(bench: Bench) -> None:
    async def work() -> None:
        page = await bench.page()
        draft = page.model.draft
        assert draft.due_date is not None
        assert draft.deadline is not None
        assert draft.deadline - draft.due_date == timedelta(hours=18)
        page.model.set_schedule(draft.deadline, draft.due_date)
        assert [problem.message for problem in page.model.problems() if problem.step == 5] == [
            "The due date must lie before the deadline."
        ]
        assert get(page, QLabel, "schedule_problem").text() == "The due date must lie before the deadline."
        due = get(page, QDateTimeEdit, "due_date_edit")
        due.setDateTime(QDateTime.currentDateTime().addSecs(-3600))
        assert "The due date lies in the past." in get(page, QLabel, "schedule_problem").text()
        off = get(page, QCheckBox, "schedule_off")
        off.setChecked(True)
        assert (draft.due_date, draft.deadline) == (None, None)
        assert not due.isEnabled()
        assert get(page, QLabel, "schedule_problem").text() == ""
        off.setChecked(False)
        assert draft.due_date is not None
        assert due.isEnabled()
        assert "time zone" in get(page, QLabel, "time_zone_label").text()

    bench.run(work())


def test_an_unhealthy_platform_holds_back_with_its_reason(bench: Bench, sample_tiff: Path) -> None:
    async def work() -> None:
        page = await bench.page()
        assert enabled(page)
        down = unreachable(Unreachable("The platform does not answer", subject="http://127.0.0.1:1"))
        bench.session.health = down
        bench.session.health_changed.emit(down)
        assert not enabled(page)
        words = f"System is unhealthy, you cannot prepare a run at this time. {down.reason}"
        assert why(page) == words
        assert get(page, QPushButton, "wizard_next").accessibleDescription() == words
        page.take_files([sample_tiff])
        await until(lambda: page.model.scan is None and page.model.slides.rowCount() == 1)
        assert page.step == 1
        bench.session.health = None
        bench.session.check_health()
        await until(lambda: page.step == 2)  # they are shown as soon as one may go there

    bench.run(work())


def test_upload_and_submission(bench: Bench) -> None:
    async def work() -> None:
        page = await bench.page()
        ids: list[str] = []
        page.submitted.connect(ids.append)
        page.open_step(2)
        click(page, "use_sample")
        await until(lambda: page.model.scan is None)
        fill(page)
        page.open_step(6)
        assert page.step == 6
        words = " ".join(item.text() for item in get(page, QWidget, "submit_summary").findChildren(QLabel))
        assert "1 slide, " in words
        assert bench.session.profile.title in words
        click(page, "wizard_submit")
        assert not get(page, QPushButton, "wizard_submit").isEnabled()
        assert not get(page, QPushButton, "wizard_back").isEnabled()
        await until(lambda: ids)
        assert bench.went == [RunPage(ids[0])]
        assert [slide.error for slide in page.submission.results.values()] == [""]
        await until(lambda: not page.model._keeper._under_way)
        assert load_drafts(APPLICATION) == []
        run = bench.session.client.run(ids[0]).details()
        assert run.run_id == ids[0]
        page.hide()
        page.show()  # back on the page: an empty draft for the next run
        assert page.step == 1
        assert page.model.slides.rowCount() == 0

    bench.run(work())


def test_a_slide_that_fails_stops_the_submission_until_a_person_decides(
    bench: Bench, sample_svs: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.svs"
    copy.write_bytes(sample_svs.read_bytes())

    async def work() -> None:
        page = await bench.page()
        await add(page, sample_svs)
        await add(page, copy)
        fill(page)
        copy.unlink()
        page.open_step(6)
        click(page, "wizard_submit")
        await until(lambda: not page.submission.running)
        assert bench.went == []
        failed = [slide for slide in page.submission.results.values() if slide.error]
        assert [slide.path.name for slide in failed] == ["copy.svs"]
        assert "1 slide could not be uploaded" in get(page, QLabel, "upload_label").text()
        assert get(page, QPushButton, "wizard_submit").text() == "Try again"
        click(page, "submit_without")
        await until(lambda: bench.went)
        assert isinstance(bench.went[0], RunPage)
        run = bench.session.client.run(bench.went[0].run_id).details()
        assert run.statistics.item_count == 1

    bench.run(work())


def test_values_are_imported_from_a_table(bench: Bench, sample_svs: Path, tmp_path: Path) -> None:
    async def work() -> None:
        page = await bench.page()
        page.model.add_sources([sample_svs])
        await until(lambda: bool(page.model.draft.slides) and page.model.scan is None)
        file = tmp_path / "values.csv"
        file.write_text(
            f"file;Tissue;Disease\n{sample_svs.stem};lung;Lung cancer\nother.svs;LUNG;\n", encoding="cp1252"
        )
        heard: list[object] = []
        page.model.imported.connect(heard.append)
        page.model.import_values(str(file))
        await until(lambda: bool(heard))
        assert page.model.draft.slides[0].values["disease"] == "LUNG_CANCER"
        message = page.findChild(QLabel, "table_message")
        assert message is not None
        assert "other.svs" in message.text()
        failed: list[BaseException] = []
        page.model.failed.connect(failed.append)
        page.model.import_values(str(tmp_path / "gone.csv"))
        await until(lambda: bool(failed))
        assert "gone.csv" in str(failed[0])

    bench.run(work())
