"""The first start, signing in and out, switching platforms, and signing in again in the middle of work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import qasync
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QMenu, QPushButton, QWidget

from a_browser import Browser, Page, codes
from desktop_bench import begun, until
from launchpad import paths
from launchpad.application.columns import columns, input_artifact
from launchpad.application.draft import SubmissionDraft, delete_draft, load_drafts
from launchpad.application.prepare import prepare
from launchpad.desktop.app import Application
from launchpad.desktop.background import pool
from launchpad.desktop.navigation import Home, SignIn, TransferList, Wizard
from launchpad.desktop.pages.first_start import FirstStartPage
from launchpad.desktop.start import FirstWindow
from launchpad.desktop.theme import palette
from launchpad.desktop.widgets.qr_code import QrCode
from launchpad.platform.auth import profile_file
from launchpad.platform.auth.profiles import LOCAL, Profile
from launchpad.platform.auth.sign_in import by_device, device_code, sign_out
from launchpad.platform.auth.store import TokenStore
from launchpad.platform.client import Client
from launchpad.wsi.isolation import SlideService
from remote_platform import browser_command, remote

Drive = Callable[[Application], Awaitable[None]]


@pytest.fixture
def lab(platform_endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Profile]:
    paths.window_file().unlink(missing_ok=True)
    profile = remote(platform_endpoint)
    profile_file.add(profile)
    # As if nobody had chosen anything: that there are profiles is not the choice of one.
    monkeypatch.setattr("launchpad.desktop.start._chosen_elsewhere", lambda: False)
    yield profile
    sign_out(profile)
    paths.profiles_file().unlink()
    paths.window_file().unlink(missing_ok=True)


@pytest.fixture
def drive(qapp: QApplication, lab: Profile) -> Iterator[Callable[[Drive], None]]:
    loop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    qapp.setQuitOnLastWindowClosed(False)

    def run(work: Drive) -> None:
        application = Application(FirstWindow(qapp, "light"), [])
        failed: list[BaseException] = []

        async def driver(window: QWidget) -> None:
            try:
                await asyncio.wait_for(work(application), 60)
            except BaseException as error:  # raised again when all has ended
                failed.append(error)
            finally:
                window.close()

        application.show()

        def of_loop(_: object, context: dict[str, Any]) -> None:
            failed.append(context.get("exception") or RuntimeError(str(context)))

        loop.set_exception_handler(of_loop)
        application.session.tasks._on_error = failed.append
        loop.run_until_complete(asyncio.wait_for(application.run(driver), 90))
        application.window.deleteLater()
        application.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        if failed:
            raise failed[0]

    yield run
    pool.close()
    loop.close()
    asyncio.set_event_loop(None)


def find(application: Application, kind: type[Any], name: str) -> Any:
    found = [
        item
        for item in application.window.findChildren(kind, name)
        if not isinstance(item, QWidget) or item.isVisible()
    ]
    assert found, f"{name} is not shown"
    return found[-1]


def click(application: Application, name: str) -> None:
    QTest.mouseClick(find(application, QPushButton, name), Qt.MouseButton.LeftButton)


def shown(application: Application, name: str) -> bool:
    return any(item.isVisible() for item in application.window.findChildren(QWidget, name))


def menu(application: Application) -> dict[str, QAction]:
    lines = application.window.findChild(QMenu, "account_list").actions()
    return {action.objectName() or action.text(): action for action in lines}


def approve(endpoint: Any, user_code: str) -> None:
    secret = {"X-Launchpad-Launch-Secret": endpoint.launch_secret}
    form = {"user_code": user_code}
    httpx.post(f"{endpoint.issuer}activate", data=form, headers=secret, trust_env=False).raise_for_status()


def signed_in(endpoint: Any, profile: Profile) -> None:
    code = device_code(profile)
    approve(endpoint, code.user_code)
    by_device(profile, replace(code, interval=0.0))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The issuer is asked at once, not after five seconds."""
    from launchpad.platform.auth import sign_in

    asked = sign_in.device_code
    monkeypatch.setattr(sign_in, "device_code", lambda profile: replace(asked(profile), interval=0.2))
    monkeypatch.setattr(sign_in, "_SLOWER", 0.2)


def test_the_first_start_offers_to_try_it_here(drive: Callable[[Drive], None]) -> None:
    async def work(application: Application) -> None:
        assert isinstance(application.window._stack.currentWidget(), FirstStartPage)
        await asyncio.sleep(0.1)
        assert not application.session.is_connected, "nothing is started before somebody chose"
        click(application, "first_start_here")
        await until(lambda: application.session.is_connected and application.session.applications)
        assert isinstance(application.navigator.route, Home)
        assert application.window.sidebar.width() == palette.current().size["sidebar"]
        assert "This computer: nobody has to sign in" in menu(application)

    drive(work)

    async def again(application: Application) -> None:
        assert not application.window.findChildren(FirstStartPage)
        await until(lambda: application.session.is_connected)

    drive(again)


def test_the_first_start_leads_to_a_sign_in_by_code(
    drive: Callable[[Drive], None], lab: Profile, platform_endpoint: Any, quick: None
) -> None:
    async def work(application: Application) -> None:
        click(application, "first_start_sign_in")
        await until(lambda: find(application, QComboBox, "sign_in_platform").count() == 2)
        choice = find(application, QComboBox, "sign_in_platform")
        assert [choice.itemText(row) for row in range(2)] == ["Aignostics Platform", "The lab's platform"]
        choice.setCurrentIndex(1)
        click(application, "sign_in_code")
        await until(lambda: shown(application, "sign_in_user_code"))
        user_code = find(application, QLabel, "sign_in_user_code").text()
        assert find(application, QLabel, "sign_in_address").text() == f"{lab.issuer}activate"
        assert len(find(application, QrCode, "sign_in_qr").modules()) >= 21
        assert "minutes more" in find(application, QLabel, "sign_in_left").text()
        approve(platform_endpoint, user_code)
        await until(lambda: application.session.me is not None)
        await until(lambda: "This computer · admin" in menu(application))
        assert application.session.profile.name == "lab"
        assert isinstance(application.navigator.route, Home)
        words = " ".join(menu(application))
        assert "Signed in to The lab's platform" in words
        assert "account_sign_out" in menu(application)
        assert "renewed by itself" in words
        assert "stored in the clear" in words
        menu(application)["account_sign_out"].trigger()
        await until(lambda: shown(application, "sign_in_again"))
        assert TokenStore(lab).read() is None
        assert "Not signed in to The lab's platform" in menu(application)

    drive(work)
    assert profile_file.load().active == "lab"


def test_by_the_browser_and_back_to_where_one_was(
    drive: Callable[[Drive], None],
    lab: Profile,
    module_data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BROWSER", browser_command(module_data_dir / "platform", tmp_path))
    monkeypatch.setattr("webbrowser._tryorder", None)
    profile_file.use("lab")
    begun()

    async def work(application: Application) -> None:
        await until(lambda: shown(application, "sign_in_again"))
        application.navigator.go(TransferList())
        click(application, "sign_in_again_button")
        assert application.navigator.route == SignIn("lab")
        await until(lambda: find(application, QComboBox, "sign_in_platform").currentData() == "lab")
        click(application, "sign_in_browser")
        await until(lambda: application.session.me is not None)
        await until(lambda: application.navigator.route == TransferList())
        await until(lambda: not shown(application, "sign_in_again"))

    drive(work)


def test_a_sign_in_can_be_given_up_and_tells_what_went_wrong(
    drive: Callable[[Drive], None], lab: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launchpad.platform.auth.sign_in.open_browser", lambda _: True)
    profile_file.add(replace(lab, issuer="http://127.0.0.1:9/"))

    async def work(application: Application) -> None:
        click(application, "first_start_sign_in")
        await until(lambda: find(application, QComboBox, "sign_in_platform").count() == 2)
        find(application, QComboBox, "sign_in_platform").setCurrentIndex(1)
        click(application, "sign_in_browser")
        await until(lambda: shown(application, "sign_in_problem"))
        assert "cannot be reached" in find(application, QLabel, "sign_in_problem_text").text()
        profile_file.add(lab)
        application.account.load_profiles()
        await until(lambda: any(item.issuer == lab.issuer for item in application.account.profiles))
        click(application, "sign_in_browser")
        await until(lambda: shown(application, "sign_in_cancel"))
        assert "The lab's platform" in find(application, QLabel, "sign_in_waiting").text()
        click(application, "sign_in_cancel")
        await until(lambda: not application.account.is_signing_in and not len(application.jobs))
        assert shown(application, "sign_in_browser")
        click(application, "sign_in_back")
        assert isinstance(application.window._stack.currentWidget(), FirstStartPage)

    drive(work)


@pytest.fixture
def draft(platform_endpoint: Any, sample_svs: Path, tmp_path: Path) -> Iterator[SubmissionDraft]:
    slide = tmp_path / "slide.svs"
    slide.write_bytes(sample_svs.read_bytes() + str(tmp_path).encode())  # one that was never sent
    with Client(profile=LOCAL) as client, SlideService() as service:
        version = client.application_version("test-app")
        slides = list(prepare([slide], version, service=service).slides)
    fields = columns(input_artifact(version).metadata_schema)
    made = SubmissionDraft("test-app", version=version.version_number, columns=fields, slides=slides)
    made.save()
    yield made
    delete_draft(made.id)


def test_work_goes_on_after_signing_in_again(
    drive: Callable[[Drive], None], lab: Profile, platform_endpoint: Any, draft: SubmissionDraft, quick: None
) -> None:
    """The sign-in ends while an upload is under way: a bar says so, and the upload goes on after it."""
    signed_in(platform_endpoint, lab)
    profile_file.use("lab")
    begun()

    async def work(application: Application) -> None:
        await until(lambda: application.session.applications)
        store = TokenStore(lab)
        stored = store.read()
        assert stored is not None
        store.write(replace(stored, access_token="ended", refresh_token="ended", expires_at=0.0))
        application.session.client.api._token = lambda: (_ for _ in ()).throw(AssertionError)  # only the stored one
        client = await asyncio.to_thread(Client, profile=lab)
        await application.session.take(client)
        upload = application.transfers.upload(draft)
        await until(lambda: upload.state == "failed")
        assert "sign-in has ended" in upload.error
        await until(lambda: shown(application, "sign_in_again"))
        click(application, "sign_in_again_button")
        await until(lambda: find(application, QComboBox, "sign_in_platform").currentData() == "lab")
        click(application, "sign_in_code")
        await until(lambda: shown(application, "sign_in_user_code"))
        approve(platform_endpoint, find(application, QLabel, "sign_in_user_code").text())
        await until(lambda: upload.state == "done")
        assert not shown(application, "sign_in_again")
        run = await asyncio.to_thread(application.session.client.run(upload.run_id).details)
        assert run.custom_metadata is not None
        assert run.custom_metadata["launchpad"]["submission_id"] == draft.submission_id

    drive(work)


def test_switching_loses_no_draft_and_no_transfer(
    drive: Callable[[Drive], None],
    lab: Profile,
    platform_endpoint: Any,
    draft: SubmissionDraft,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAUNCHPAD_UPLOAD_BYTES_PER_SECOND", "700000")
    signed_in(platform_endpoint, lab)
    profile_file.use("lab")
    begun()

    async def work(application: Application) -> None:
        await until(lambda: application.session.applications)
        application.navigator.go(Wizard("he-tme"))
        page: Any = application.window._stack.currentWidget()
        await until(lambda: page.model.version is not None)
        page.model.set_note("half done")
        upload = application.transfers.upload(draft)
        await until(lambda: upload.bytes[0] > 0)
        menu(application)["platform_local"].trigger()
        await until(lambda: application.session.profile.kind == "embedded")
        await until(lambda: application.session.applications)
        assert isinstance(application.navigator.route, Home)
        assert upload.running
        await until(lambda: any(kept.note == "half done" for kept in load_drafts()))
        await until(lambda: upload.state == "done")
        with Client(profile=lab) as there:
            assert await asyncio.to_thread(lambda: there.run(upload.run_id).details().run_id) == upload.run_id
        await until(lambda: "platform_lab" in menu(application))
        menu(application)["platform_lab"].trigger()
        await until(lambda: application.session.profile.name == "lab" and application.session.applications)
        application.navigator.go(Wizard("he-tme"))
        back: Any = application.window._stack.currentWidget()
        await until(lambda: back.model.version is not None and back.model.draft.note == "half done")

    drive(work)
    for kept in load_drafts():
        delete_draft(kept.id)


def test_a_transfer_of_another_platform_waits_for_it(
    drive: Callable[[Drive], None], lab: Profile, platform_endpoint: Any, draft: SubmissionDraft
) -> None:
    signed_in(platform_endpoint, lab)
    profile_file.use("lab")
    begun()

    async def work(application: Application) -> None:
        await until(lambda: application.session.applications)
        upload = application.transfers.upload(draft)
        upload.pause()
        await until(lambda: upload.state == "paused")
        application.account.switch(LOCAL)
        await until(lambda: application.session.profile.kind == "embedded")
        upload.resume()
        assert (upload.state, upload.running) == ("failed", False)
        assert "another platform (lab)" in upload.error
        application.account.switch(lab)
        await until(lambda: application.session.profile.name == "lab")
        upload.resume()
        await until(lambda: upload.state == "done")

    drive(work)


def test_the_window_shows_the_code_of_who_asks_to_come_in(
    drive: Callable[[Drive], None], lab: Profile, platform_endpoint: Any
) -> None:
    for waiting in codes(platform_endpoint):
        assert waiting["code"]

    async def work(application: Application) -> None:
        click(application, "first_start_here")
        await until(lambda: application.session.is_connected)
        url = f"{lab.issuer}activate"
        with Browser() as browser:
            page = await asyncio.to_thread(browser.open, url)
            assert isinstance(page, Page)
            newest = codes(platform_endpoint)[0]["code"]
            await until(lambda: shown(application, "one_time_code"))
            text = find(application, QLabel, "one_time_code_text").text()
            assert newest in text
            assert "Another device" in text
            begun = time.monotonic()
            wrong = browser.send(url, page, code=newest, user_code="BBBBBBBB", answer="refuse")
            assert isinstance(wrong, Page)
            assert time.monotonic() - begun < 10

    drive(work)
