"""Every page in every state: empty, loading, failing, with long texts, HTML and hundreds of rows, dark, translated,
at twice the resolution. A page that is not in this table fails the first test."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
import qasync
from PySide6.QtCore import QCoreApplication, QEvent, QSettings, QSize, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListView,
    QScrollArea,
    QTabBar,
    QWidget,
)

from desktop_bench import until
from launchpad.desktop import navigation
from launchpad.desktop.account import Account
from launchpad.desktop.appearance import Appearance
from launchpad.desktop.background import Jobs, pool
from launchpad.desktop.notebooks import Notebooks
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.transfers import Transfers
from launchpad.desktop.updates import Updates
from launchpad.desktop.widgets.basics import ElidedLabel, Notice
from launchpad.desktop.widgets.stepper import StepButton
from launchpad.desktop.window_state import WindowState
from platform_that_says import HTML, RUN, Says, serve
from pseudo_locale import OPEN, PseudoLocale

STATES = ("empty", "loading", "error", "long", "html", "many", "dark", "pseudo", "double")
SIZE = QSize(728, 616)  # what a page gets of a window of 1024 x 700


class Stage:
    """A session on a platform that says what it is told, and what pages need besides."""

    def __init__(self, qapp: QApplication, settings: QSettings) -> None:
        self.loop = qasync.QEventLoop(qapp)
        asyncio.set_event_loop(self.loop)
        self.state = WindowState(settings)
        self.session = Session()
        self.jobs = Jobs()
        self.transfers = Transfers(self.session, self.jobs)
        self.notebooks = Notebooks(self.session, self.jobs)
        self.account = Account(self.session, self.transfers, self.jobs)
        self.appearance = Appearance(qapp, self.state, "light")
        self.errors: list[BaseException] = []
        self.session.tasks._on_error = self.errors.append
        self.loop.set_exception_handler(
            lambda _, context: self.errors.append(context.get("exception") or RuntimeError())
        )

    def run(self, work: Any) -> None:
        self.loop.run_until_complete(asyncio.wait_for(work, 60))


def make_home(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.home import HomePage

    return HomePage(stage.session, lambda route: None)


def make_catalog(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.catalog import CatalogPage

    return CatalogPage(stage.session, lambda route: None, "app-0")


def make_wizard(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.wizard.wizard import WizardPage

    return WizardPage(stage.session, stage.jobs, stage.transfers, lambda route: None, "app-0")


def make_run(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.run import RunPage

    return RunPage(stage.session, stage.transfers, stage.jobs, lambda route: None, RUN)


def make_transfers(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.transfers import TransfersPage

    return TransfersPage(stage.transfers, lambda route: None)


def make_bucket(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.bucket import BucketPage

    return BucketPage(stage.session, stage.jobs, stage.state)


def make_info(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.info import InfoPage

    return InfoPage(stage.session, stage.appearance, stage.state, Updates(stage.session, stage.jobs))


def make_about(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.about import AboutPage

    return AboutPage(stage.session)


def make_qupath(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.qupath import QuPathPage

    return QuPathPage(stage.session, stage.jobs)


def make_notebook(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.notebook import NotebookPage

    return NotebookPage(stage.notebooks, lambda route: None, RUN)


def make_dataset(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.dataset import DatasetPage

    return DatasetPage(stage.session, stage.jobs, stage.state)


def make_first_start(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.first_start import FirstStartPage

    return FirstStartPage(lambda route: None)


def make_sign_in(stage: Stage) -> QWidget:
    from launchpad.desktop.pages.sign_in import SignInPage

    return SignInPage(stage.account, "")


PAGES: dict[type, Callable[[Stage], QWidget]] = {
    navigation.Home: make_home,
    navigation.Catalog: make_catalog,
    navigation.Wizard: make_wizard,
    navigation.RunPage: make_run,
    navigation.TransferList: make_transfers,
    navigation.BucketPage: make_bucket,
    navigation.Info: make_info,
    navigation.About: make_about,
    navigation.QuPathPage: make_qupath,
    navigation.NotebookPage: make_notebook,
    navigation.DatasetPage: make_dataset,
    navigation.FirstStart: make_first_start,
    navigation.SignIn: make_sign_in,
}
# Pages that ask the platform say so when it fails.
ASK = {navigation.Catalog, navigation.Wizard, navigation.RunPage, navigation.BucketPage}
# What each page shows of the platform's hundreds.
ROWS: dict[type, tuple[str, int]] = {
    navigation.RunPage: ("item_table", 500),
    navigation.BucketPage: ("bucket_table", 500),
}


def test_every_page_is_in_this_table() -> None:
    assert set(PAGES) == set(get_args(navigation.Route))


@pytest.fixture
def state(request: pytest.FixtureRequest) -> Iterator[str]:
    translator = PseudoLocale() if request.param == "pseudo" else None
    if translator is not None:
        QCoreApplication.installTranslator(translator)
    yield request.param
    if translator is not None:
        QCoreApplication.removeTranslator(translator)


@pytest.mark.parametrize("state", STATES, indirect=True)
def test_all_pages_in_a_state(state: str, qapp: QApplication, data_dir: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mode = {"dark": "many", "pseudo": "normal", "double": "normal", "loading": "normal"}.get(state, state)
    failed: dict[str, str] = {}
    with serve(Says(mode)) as address:
        for name in ("API_ROOT", "STORAGE_ENDPOINT"):
            monkeypatch.setenv(f"LAUNCHPAD_{name}", address)
        monkeypatch.setenv("LAUNCHPAD_TOKEN", "told")
        qapp.setQuitOnLastWindowClosed(False)
        stage = Stage(qapp, QSettings(str(data_dir / "window.ini"), QSettings.Format.IniFormat))
        palette.set_theme(qapp, state == "dark")
        try:
            stage.run(_walk(stage, state, failed))
        finally:
            stage.run(_end(stage))
            palette.set_theme(qapp, False)
            stage.loop.close()
            asyncio.set_event_loop(None)
    assert failed == {}
    assert stage.errors == []


async def _walk(stage: Stage, state: str, failed: dict[str, str]) -> None:
    """Through all pages, inside the loop, as in the window."""
    await _prepare(stage, state)
    for kind, make in PAGES.items():
        page = make(stage)
        page.resize(SIZE)
        page.show()
        try:
            await _settle(stage, page, kind, state)
            _check(page, kind, state, stage)
        except AssertionError as error:
            failed[kind.__name__] = str(error).partition("\n")[0]
        finally:
            leave = getattr(page, "leave", None)
            if leave is not None:
                leave()
            stage.session.tasks.let_go(page)
            page.close()
            page.deleteLater()


async def _prepare(stage: Stage, state: str) -> None:
    if state != "loading":
        stage.session.start()
        await until(lambda: stage.session.is_connected and stage.session.health is not None)
        if state != "error":
            await until(lambda: stage.session.runs_loaded)


async def _settle(stage: Stage, page: QWidget, kind: type, state: str) -> None:
    """Until what it asked for has come."""
    if state == "loading":
        await asyncio.sleep(0)
        return
    if kind in ASK and state == "error":
        await until(lambda: _notices(page), 20)
    await until(lambda: len(stage.session.tasks._live) <= 2, 20)  # the two that watch
    if kind in ROWS and state in ("many", "dark"):
        name, count = ROWS[kind]
        view = page.findChild(QAbstractItemView, name)
        await until(lambda: view.model().rowCount() == count, 20)


async def _end(stage: Stage) -> None:
    await stage.session.close()
    await asyncio.sleep(0)
    assert stage.jobs.shutdown() == []
    pool.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    asyncio.get_event_loop().call_soon(lambda: None)


def _notices(page: QWidget) -> list[Notice]:
    return [notice for notice in page.findChildren(Notice) if notice.isVisible() and notice.text()]


def _check(page: QWidget, kind: type, state: str, stage: Stage) -> None:
    assert _colours(page, 2.0 if state == "double" else 1.0) > 12, "the page is blank"
    texts = _texts(page)
    assert texts, "the page says nothing"
    _nothing_is_cut_off(page)
    _everything_has_a_name(page)
    if state == "error" and kind in ASK:
        wanted = "refused" if kind is navigation.BucketPage else "Told to fail"
        assert any(wanted in notice.text() for notice in _notices(page)), [item.text() for item in _notices(page)]
    if state == "html":
        _html_is_text(page)
    if state == "pseudo":
        _all_is_translated(texts, stage)


def _colours(page: QWidget, ratio: float) -> int:
    picture = QPixmap(page.size() * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    page.render(picture)
    image = picture.toImage()
    return len({image.pixel(x, y) for x in range(0, image.width(), 4) for y in range(0, image.height(), 4)})


def _visible(page: QWidget, kind: type) -> list[Any]:
    return [widget for widget in page.findChildren(kind) if widget.isVisibleTo(page) and widget.width() > 0]


def _texts(page: QWidget) -> list[str]:
    found = [item.text() for item in (*_visible(page, QLabel), *_visible(page, QAbstractButton))]
    found += [item.placeholderText() for item in _visible(page, QLineEdit)]
    found += [bar.tabText(number) for bar in _visible(page, QTabBar) for number in range(bar.count())]
    found += [item.toolTip() for item in _visible(page, QWidget) if item.toolTip()]
    return [text for text in found if text.strip()]


def _nothing_is_cut_off(page: QWidget) -> None:
    for area in _visible(page, QScrollArea):
        assert area.horizontalScrollBar().maximum() <= 1, f"{area.objectName()} has to be scrolled sideways"
    for button in _visible(page, QAbstractButton):
        right = button.mapTo(page, button.rect().topRight()).x()
        assert right <= page.width() + 1, f"the button “{button.text()}” is beyond the page"
        if button.text() and not button.property("tag") and not isinstance(button, StepButton):
            need = button.fontMetrics().horizontalAdvance(_without_mnemonic(button.text()))
            assert need <= button.width() + 2, f"the button “{button.text()}” is cut off"
    for text in _visible(page, QLabel):
        if text.wordWrap() or isinstance(text, ElidedLabel) or not text.text():
            continue
        need = max(text.fontMetrics().horizontalAdvance(line) for line in _without_mnemonic(text.text()).splitlines())
        assert need <= text.width() + 2, f"the label “{text.text()[:60]}” is cut off: {need} > {text.width()}"


def _without_mnemonic(text: str) -> str:
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def _everything_has_a_name(page: QWidget) -> None:
    for button in _visible(page, QAbstractButton):
        if button.metaObject().className() in ("QToolButton", "QTableCornerButton") or not button.isEnabled():
            continue
        assert button.text() or button.accessibleName(), f"{button.objectName()} has no name"
    for kind in (QLineEdit, QComboBox, QAbstractItemView):
        for widget in _visible(page, kind):
            inside = isinstance(widget.parent(), (QComboBox, QAbstractItemView)) or "spinbox" in widget.objectName()
            if not inside and widget.focusPolicy() is not Qt.FocusPolicy.NoFocus:
                assert widget.accessibleName(), f"{type(widget).__name__} {widget.objectName()} has no name"


def _html_is_text(page: QWidget) -> None:
    for text in page.findChildren(QLabel):
        if HTML in text.text():
            assert text.textFormat() is Qt.TextFormat.PlainText, text.objectName()
    for widget in page.findChildren(QWidget):
        assert HTML not in widget.toolTip(), f"{widget.objectName()} shows HTML in its tooltip"
    for view in page.findChildren(QAbstractItemView):
        model = view.model()
        for row in range(min(model.rowCount(), 5) if model is not None else 0):
            for column in range(1 if isinstance(view, QListView) else model.columnCount()):
                tip = model.index(row, column).data(Qt.ItemDataRole.ToolTipRole)
                assert HTML not in str(tip), f"{view.objectName()} shows HTML in a tooltip"


# What comes from the platform, the files, the system or the screen, and stays as it is in every language.
DATA = re.compile(
    r"Launchpad|v?\d[\d.,:  %×/+–-]*|Tissue QC \d|CE-IVD|Looks at tissue\.|LUNG|H&E|Mara Kessler|Institute of "
    r"Pathology|user-1|cohort B|sample|A note|Faster\.|Manual|–|Slide is out of focus\..*|SLIDEERROR|text/csv|.*\.svs"
    r"|http://\S*|https?://.*|/.*|image/tiff|application/.*|Whole slide image|Cells: geojson|readout.*|Readout.*"
    r"|[\d.,]+ (?:bytes|kB|MB|GB|TB)|\d+/\d+/\d+.*|\d+ \w{3,9}(?: \d+)?(?: \d+:\d+)?|1\.2\.0|custom"
    r"|Manual\s.*|• .*",
    re.DOTALL,
)


def _all_is_translated(texts: list[str], stage: Stage) -> None:
    named = {stage.session.profile.title}
    plain = [
        text for text in texts if OPEN not in text and not DATA.fullmatch(text.strip()) and text.strip() not in named
    ]
    assert plain == [], f"not translated: {plain}"
    assert any(OPEN in text for text in texts)
