"""Uploads and downloads in the window, on a real platform over a line that is slow on purpose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import qasync
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton

from desktop_bench import APPLICATION, Bench, begun, until
from launchpad import state
from launchpad.application import Service
from launchpad.application.columns import columns, input_artifact
from launchpad.application.download_plan import DownloadPlan
from launchpad.application.draft import SubmissionDraft, load_drafts
from launchpad.application.manifest import read_rows
from launchpad.application.transfers import TransferRecord, left_over, remember_transfer
from launchpad.bucket.journal import Journal
from launchpad.bucket.xml_bucket import XmlBucket
from launchpad.bucket.xml_requests import tree_of
from launchpad.desktop.app import Application
from launchpad.desktop.background import pool
from launchpad.desktop.main_window import MainWindow
from launchpad.desktop.navigation import RunPage
from launchpad.desktop.pages.transfers import TransferCard, TransfersPage
from launchpad.desktop.session import Session
from launchpad.desktop.start import FirstWindow
from launchpad.desktop.transfers import Transfers
from launchpad.errors import LaunchpadError
from launchpad.platform.client import Client

MAPPING = ".*:staining_method=H&E,tissue=LUNG,disease=LUNG_CANCER"
SLOW = 6e6  # bytes a second


def over_the_network(client: Client, rate: float | None) -> XmlBucket:
    """The platform's bucket for somebody who is not on its computer: bytes, not references."""
    organization = client.me().organization
    bucket = XmlBucket(
        client.profile.storage_endpoint,
        organization.aignostics_bucket_name,
        organization.aignostics_bucket_hmac_access_key_id,
        organization.aignostics_bucket_hmac_secret_access_key,
        bytes_per_second=rate,
        connections=2,
    )
    bucket._requests.round_trip = 0.001  # near also while the machine is busy: parts of 8 MiB
    return bucket


def slow_down(session: Session, rate: float | None) -> None:
    if session._bucket is not None:
        session._bucket.close()
    session._bucket = over_the_network(session.client, rate)


@pytest.fixture
def draft(platform_endpoint: object, sample_svs: Path, tmp_path: Path) -> SubmissionDraft:
    """A saved draft of one slide of 26 MB, so four parts: behind the sample stand bytes that nobody reads."""
    folder = tmp_path / "slides ä"
    folder.mkdir()
    with (folder / "large.svs").open("wb") as file:
        file.write(sample_svs.read_bytes())
        file.write(time.time_ns().to_bytes(8, "big"))  # another file in each test
        file.truncate(26 << 20)
    rows = Service.generate_metadata_from_source_directory(folder, APPLICATION, mappings=[MAPPING])
    with Client() as client:
        version = client.application_version(APPLICATION)
    fields = columns(input_artifact(version).metadata_schema)
    made = SubmissionDraft(APPLICATION, version=version.version_number, columns=fields, slides=read_rows(rows, fields))
    made.save()
    return made


def card(page: TransfersPage) -> TransferCard:
    (found,) = page.findChildren(TransferCard)
    return found


def press(where: TransfersPage | TransferCard, name: str) -> None:
    button = where.findChild(QPushButton, name)
    assert button is not None, name
    assert button.isVisible(), name
    assert button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def words(where: TransferCard) -> str:
    found = where.findChild(QLabel, "transfer_words")
    assert found is not None
    return found.text()


def a_page(bench: Bench, open_: Callable[..., None] | None = None) -> TransfersPage:
    page = TransfersPage(bench.transfers, open_ or bench.went.append)
    page.resize(1000, 700)
    page.show()
    return page


def parts(draft: SubmissionDraft) -> int:
    """Parts of its slide that the store has confirmed."""
    with Journal() as journal:
        uploads = [upload for upload in journal.open_uploads() if upload.path == draft.slides[0].path]
        return sum(len(journal.parts(upload)) for upload in uploads)


def open_uploads(bucket: XmlBucket) -> list[str]:
    """Keys of the uploads that the store itself knows as open."""
    answer = bucket._requests.send("GET", "", query={"uploads": ""})
    assert answer.status_code == 200
    tree = tree_of(answer)
    assert tree is not None
    return [upload.findtext("Key") or "" for upload in tree.iter("Upload")]


def test_an_upload_is_paused_and_goes_on_where_it_was(bench: Bench, draft: SubmissionDraft) -> None:
    async def work() -> None:
        page = a_page(bench)
        assert page.findChild(QLabel, "transfers_empty").isVisible()
        slow_down(bench.session, SLOW)
        upload = bench.transfers.upload(draft)
        await until(lambda: parts(draft) >= 1)
        await until(lambda: upload.rate > 0)
        shown = card(page)
        assert "MB/s" in words(shown)
        assert upload.board.files()[0].state == "moving"
        press(shown, "transfer_pause")
        await until(lambda: upload.state == "paused")
        assert not upload.running
        assert upload.board.files()[0].state == "waiting"
        had = parts(draft)
        assert had >= 1
        await bench.transfers.settled()
        with closing(state.connect()) as database:
            assert database.execute("SELECT state, total FROM transfer").fetchone()[:2] == ("paused", 26 << 20)
        slow_down(bench.session, None)
        before = time.monotonic()
        press(shown, "transfer_resume")
        await until(lambda: upload.state == "done")
        assert time.monotonic() - before < 30
        (file,) = upload.board.files()
        assert (file.state, file.done) == ("done", 26 << 20)
        assert file.attempts <= 4 - had, "parts were sent again that the store had confirmed"
        assert load_drafts(APPLICATION) == []
        press(shown, "transfer_open")
        assert bench.went == [RunPage(upload.run_id)]
        assert bench.session.client.run(upload.run_id).details().statistics.item_count == 1
        press(page, "transfers_clear")
        assert bench.transfers.all() == []
        page.close()
        page.deleteLater()

    bench.run(work())


def test_a_cancelled_upload_leaves_nothing_on_the_store_and_keeps_the_draft(
    bench: Bench, draft: SubmissionDraft
) -> None:
    async def work() -> None:
        page = a_page(bench)
        slow_down(bench.session, SLOW)
        upload = bench.transfers.upload(draft)
        await until(lambda: parts(draft) >= 1)
        bucket = over_the_network(bench.session.client, None)
        before = open_uploads(bucket)
        press(card(page), "transfer_cancel")
        await until(lambda: upload.state == "cancelled")
        await until(lambda: parts(draft) == 0)
        assert len(open_uploads(bucket)) == len(before) - 1
        bucket.close()
        assert [left.id for left in load_drafts(APPLICATION)] == [draft.id]
        await bench.transfers.settled()
        with closing(state.connect()) as database:
            assert database.execute("SELECT count(*) FROM transfer").fetchone()[0] == 0
        page.close()
        page.deleteLater()

    bench.run(work())


def test_what_failed_is_tried_again(bench: Bench, draft: SubmissionDraft) -> None:
    slide = draft.slides[0].path
    kept = slide.with_name("away")

    async def work() -> None:
        page = a_page(bench)
        slide.rename(kept)
        upload = bench.transfers.upload(draft)
        await until(lambda: upload.state == "failed")
        assert "1 slide could not be uploaded" in words(card(page))
        (file,) = upload.board.files()
        assert file.state == "failed"
        assert "cannot be read" in file.error
        kept.rename(slide)
        assert card(page).findChild(QPushButton, "transfer_resume").text() == "Try again"
        press(card(page), "transfer_resume")
        await until(lambda: upload.state == "done")
        page.close()
        page.deleteLater()

    bench.run(work())


def test_what_a_window_left_that_died_is_offered_again(bench: Bench, draft: SubmissionDraft) -> None:
    """The journal of a killed window: its process is gone, its draft and the record of its upload are there."""
    remember_transfer(TransferRecord("upload", draft.id, bench.session.profile.name, "Upload 1 slide", total=26 << 20))
    remember_transfer(TransferRecord("upload", "submitted long ago", bench.session.profile.name, "Upload 2 slides"))
    remember_transfer(TransferRecord("download", "elsewhere", "Another platform", "Download results"))
    assert left_over() == [], "this process lives"
    with closing(state.connect()) as database, database:
        database.execute("UPDATE transfer SET started = started - 1000")
    assert {record.state for record in left_over()} == {"interrupted"}

    async def work() -> None:
        found = Transfers(bench.session, bench.jobs)
        bench.transfers = found
        page = a_page(bench)
        found._connected()
        await until(lambda: found.all())
        await bench.transfers.settled()
        (upload,) = found.all()
        assert "Launchpad ended before it was through" in words(card(page))
        press(card(page), "transfer_resume")
        await until(lambda: upload.state == "done")
        await until(lambda: len(left_over()) == 1)
        assert left_over()[0].profile == "Another platform"
        page.close()
        page.deleteLater()

    bench.run(work())


def test_results_are_downloaded_and_shown_file_by_file(bench: Bench, draft: SubmissionDraft) -> None:
    async def work() -> None:
        page = a_page(bench)
        upload = bench.transfers.upload(draft)
        await until(lambda: upload.state == "done")
        handle = bench.session.client.run(upload.run_id)
        await until(lambda: handle.details().state == "TERMINATED", 200)
        download = bench.transfers.download(DownloadPlan(upload.run_id), "Open H&E TME")
        assert bench.transfers.download(DownloadPlan(upload.run_id), "Open H&E TME") is download
        heard: list[object] = []
        download.ended.connect(heard.append)
        await until(lambda: download.state == "done")
        files = download.board.files()
        assert len(files) == 5
        assert {file.state for file in files} == {"done"}
        ((result,),) = heard
        assert sum(path.stat().st_size for path in result.files) == sum(file.size for file in files)
        page.close()
        page.deleteLater()

    bench.run(work())


@pytest.mark.parametrize("answer", ["Continue in the background", "Pause and quit", "Keep open"])
def test_quitting_while_an_upload_runs_asks_first(
    qapp: QApplication, platform_endpoint: object, draft: SubmissionDraft, answer: str
) -> None:
    loop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    qapp.setQuitOnLastWindowClosed(False)
    begun()
    application = Application(FirstWindow(qapp, "light"), [])

    async def driver(window: MainWindow) -> None:
        await until(lambda: application.session.is_connected and application.session.applications)
        slow_down(application.session, SLOW)
        upload = application.transfers.upload(draft)
        await until(lambda: parts(draft) >= 1)
        window.close()
        box = window.findChild(QMessageBox, "quit_question")
        assert box is not None
        assert "Upload 1 slide" in box.text()
        (button,) = [button for button in box.buttons() if button.text() == answer]
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        if answer == "Keep open":
            await asyncio.sleep(0.1)
            assert upload.running
            assert window.isVisible()
            await until(lambda: upload.state == "done")
            window.close()

    application.show()
    loop.run_until_complete(asyncio.wait_for(application.run(driver), 60))
    assert not application.window.isVisible()
    with closing(state.connect()) as database:
        rows = [tuple(row) for row in database.execute("SELECT state FROM transfer WHERE subject = ?", (draft.id,))]
    assert rows == ([("paused",)] if answer == "Pause and quit" else [])
    assert (parts(draft) >= 1) == (answer == "Pause and quit")
    assert (draft.id in [left.id for left in load_drafts()]) == (answer == "Pause and quit")
    with closing(state.connect()) as database, database:
        database.execute("DELETE FROM transfer")
    application.window.deleteLater()
    application.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    pool.close()
    loop.close()
    asyncio.set_event_loop(None)


def test_a_transfer_of_nothing_says_what_is_wrong(bench: Bench) -> None:
    async def work() -> None:
        download = bench.transfers.download(DownloadPlan("00000000-0000-0000-0000-000000000000"), "gone")
        heard: list[LaunchpadError] = []
        download.broke.connect(heard.append)
        await until(lambda: download.state == "failed")
        assert download.error
        assert len(heard) == 1
        download.cancel()
        assert download.state == "cancelled"
        await bench.transfers.settled()

    bench.run(work())
