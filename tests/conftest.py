"""Fixtures for all tests: a data folder of their own, the real slides, a real platform, and checks for leaks."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from public_mirror import Mirror

ROOT = Path(__file__).resolve().parent.parent
SLIDES = ROOT / "tests" / "data" / "slides"

# `make test-peer` names an environment with the old SDK; without it there is nothing to drive.
collect_ignore = [] if os.environ.get("PEER_PYTHON") else ["peer"]

# Set before Qt or a child process starts.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("LAUNCHPAD_IDLE_SECONDS", "2")
# The keyring of whoever runs the tests is not theirs.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"


def pytest_configure() -> None:
    """No test may read or write this account's own Launchpad."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # by a shell that started us in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # else no child could be interrupted
    real = os.environ.get("LAUNCHPAD_QUPATH")
    if real:
        os.environ["TEST_QUPATH"] = real
    for name in list(os.environ):
        if name.startswith(("LAUNCHPAD_", "AIGNOSTICS_")) and name != "LAUNCHPAD_IDLE_SECONDS":
            del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a real QuPath run where there is one."""
    if "TEST_QUPATH" not in os.environ:
        for item in items:
            if item.get_closest_marker("qupath"):
                item.add_marker(pytest.mark.skip(reason="LAUNCHPAD_QUPATH names no QuPath"))


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Launchpad data folder for one test, also for the processes that it starts."""
    folder = tmp_path / "launchpad data ä"
    folder.mkdir()
    monkeypatch.setenv("LAUNCHPAD_DATA_DIR", str(folder))
    monkeypatch.chdir(tmp_path)  # no .env of the developer is read
    return folder


@pytest.fixture(scope="module")
def module_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Launchpad data folder for the tests of one module."""
    folder = tmp_path_factory.mktemp("launchpad data ä")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAUNCHPAD_DATA_DIR", str(folder))
        patch.chdir(folder)
        yield folder


class SlideThatWaits:
    """An address that takes connections and does not answer: a run of it goes on until it is cancelled."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.url = f"http://{self.host}/slide.tiff"

    def let_go(self) -> None:
        """End all connections: whoever fetches from here waits no more."""
        self._listening.close()


@pytest.fixture(scope="module")
def slide_that_waits(module_data_dir: Path) -> Iterator[SlideThatWaits]:
    """Ask for it before `platform_endpoint`: the platform reads at its start that slides may come from there."""
    from launchpad import paths

    waits = SlideThatWaits()
    paths.platform_dir().mkdir(parents=True)
    (paths.platform_dir() / "platform.toml").write_text(f'input_private_hosts = ["{waits.host}"]\n')
    yield waits
    waits.let_go()


@pytest.fixture(scope="module")
def platform_endpoint(module_data_dir: Path) -> Iterator[object]:
    """A running embedded platform for the tests of one module (an `Endpoint`)."""
    from launchpad.platform import embedded

    endpoint = embedded.ensure_running()
    yield endpoint
    embedded.release()
    assert embedded.stop(), "the platform did not stop"


@pytest.fixture(scope="session")
def sample_svs() -> Path:
    """CMU-1-Small-Region, Aperio SVS, 2220 x 2967 px, MPP 0.499."""
    return ROOT / "resources" / "sample" / "CMU-1-Small-Region.svs"


@pytest.fixture(scope="session")
def sample_tiff() -> Path:
    """The same as a generic tiled pyramid TIFF."""
    return SLIDES / "CMU-1-Small-Region.pyramid.tiff"


@pytest.fixture(scope="session")
def small_tiff(sample_svs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A piece of the sample, 512 x 512 px, MPP 0.499: analysed in a fraction of a second."""
    import numpy
    import openslide
    import tifffile

    with openslide.OpenSlide(sample_svs) as slide:
        pixels = numpy.asarray(slide.read_region((600, 800), 0, (512, 512)).convert("RGB"))
    file = tmp_path_factory.mktemp("small") / "small.tiff"
    per_cm = (10_000 / 0.499, 10_000 / 0.499)
    tifffile.imwrite(file, pixels, tile=(256, 256), photometric="rgb", resolution=per_cm, resolutionunit="CENTIMETER")
    return file


@pytest.fixture(scope="session")
def sample_dicom() -> Path:
    """The same as a DICOM pyramid: a folder."""
    return SLIDES / "dicom" / "CMU-1-Small-Region"


@pytest.fixture
def public_mirror(sample_dicom: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror of the public buckets, which the settings name; it holds the slide of the tutorial."""
    from public_mirror import serve_mirror

    with serve_mirror(sample_dicom) as mirror:
        monkeypatch.setenv("LAUNCHPAD_IDC_MIRROR", mirror.address)
        yield mirror


@pytest.fixture(scope="session")
def unpacked_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of public slides, unpacked once for all tests of a process."""
    from launchpad.dataset.index import open_index

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAUNCHPAD_DATA_DIR", str(tmp_path_factory.mktemp("index")))
        return open_index().file


@pytest.fixture
def index_there(unpacked_index: Path, data_dir: Path) -> Path:
    """The index is in the data folder of this test already."""
    target = data_dir / "datasets" / "index" / unpacked_index.name
    target.parent.mkdir(parents=True)
    target.symlink_to(unpacked_index)
    return target


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """A test fails that leaves a thread behind."""
    before = set(threading.enumerate())
    yield

    def left() -> list[threading.Thread]:
        # A QThread that ran Python stays in this list as a dummy; no_leaked_qt looks after QThreads.
        dummy = threading._DummyThread  # type: ignore[attr-defined]
        found = [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]
        return [thread for thread in found if not isinstance(thread, dummy)]

    end = time.monotonic() + 3
    while left() and time.monotonic() < end:
        time.sleep(0.02)  # threads of a pool end a moment after their last result
    names = [thread.name for thread in left()]
    assert not names, f"threads left behind: {names}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """What a test of Qt leaves is collected in the thread that owns it, as the window's `Collector` does it.

    Not before the test is through: until then pytest keeps the fixtures' values.
    """
    if not _uses_qt(item):
        return (yield)
    gc.disable()
    result = yield
    if nextitem is None or not _uses_qt(nextitem):
        gc.collect()
        gc.enable()
    return result


def _uses_qt(item: pytest.Item) -> bool:
    return not {"qtbot", "qapp"}.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.fixture(autouse=True)
def no_leaked_qt(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that uses Qt fails when it leaves an active timer or a visible top-level window behind."""
    yield
    if not _uses_qt(request.node):
        return
    import shiboken6
    from PySide6.QtCore import QThread, QTimer
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    for _ in range(3):
        app.sendPostedEvents(None, 52)  # QEvent.Type.DeferredDelete
        app.processEvents()
    windows = [widget.objectName() or type(widget).__name__ for widget in app.topLevelWidgets() if widget.isVisible()]
    gc.collect()
    found = [item for item in gc.get_objects() if isinstance(item, (QTimer, QThread))]
    alive = [item for item in found if shiboken6.isValid(item)]
    timers = [item.objectName() or repr(item) for item in alive if isinstance(item, QTimer) and item.isActive()]
    threads = [item.objectName() for item in alive if isinstance(item, QThread) and item.isRunning()]
    assert not windows, f"windows left open: {windows}"
    assert not timers, f"timers left running: {timers}"
    assert not threads, f"QThreads left running: {threads}"
