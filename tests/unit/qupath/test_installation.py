"""Installing QuPath from a release server of the test, and finding it."""

from __future__ import annotations

import io
import stat
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import qupath_stand_in as stand_in
from launchpad.errors import BadInput, LaunchpadError, NotFound, TransferError
from launchpad.progress import Cancelled, Progress
from launchpad.qupath import installation, processes, releases
from launchpad.qupath.service import Service
from launchpad.qupath.unpack import Limits, unpack
from qupath_stand_in import Releases

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")


@pytest.fixture
def server(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with stand_in.serve_releases(tmp_path, "0.6.0", "0.7.0") as made:
        monkeypatch.setenv("LAUNCHPAD_QUPATH_RELEASES", f"{made.url}/releases")
        yield made


def test_a_release_is_installed_found_updated_and_removed(server: Releases, data_dir: Path) -> None:
    assert installation.find() == []
    with pytest.raises(installation.QuPathMissing):
        installation.best()
    progress = Progress()
    made = installation.install(releases.release("0.6.0"), progress=progress)
    assert (made.version, made.ours, made.reads_qpdata) == ("0.6.0", True, True)
    assert made.folder == data_dir / "qupath" / "QuPath-0.6.0" / "QuPath"
    assert made.executable.stat().st_mode & stat.S_IXUSR
    assert (made.folder / "lib/runtime/legal/java.sql/LICENSE").read_text() == "licence"
    assert not (made.folder / "lib/runtime/legal/java.sql/LICENSE").is_symlink()
    assert progress.latest is not None
    assert progress.latest[0] == progress.latest[1] > 0
    assert installation.asked_version(made) == "0.6.0"

    newer = installation.install(releases.release(releases.latest_version()))
    assert [item.version for item in installation.find()] == ["0.7.0", "0.6.0"]
    assert installation.best() == newer
    assert installation.install(releases.release("0.7.0"), reinstall=False) == newer
    (newer.folder / "broken").write_text("x")
    assert installation.install(releases.release("0.7.0")) == newer
    assert not (newer.folder / "broken").exists()

    assert Service.uninstall_qupath("0.7.0")
    assert [item.version for item in installation.find()] == ["0.6.0"]
    assert Service.uninstall_qupath()
    assert not Service.uninstall_qupath()
    assert list((data_dir / "qupath").iterdir()) == []


def test_without_a_checksum_somebody_has_to_accept(server: Releases, data_dir: Path) -> None:
    server.digests["QuPath-v0.6.0-Linux.tar.xz"] = None
    chosen = releases.release("0.6.0")
    assert chosen.sha256 == ""
    with pytest.raises(TransferError, match="no checksum"):
        installation.install(chosen)
    with pytest.raises(TransferError, match="no checksum"):
        installation.install(chosen, accept_unverified=lambda release: False)
    assert installation.install(chosen, accept_unverified=lambda release: release == chosen).version == "0.6.0"


def _wrong_digest(server: Releases) -> None:
    server.digests["QuPath-v0.6.0-Linux.tar.xz"] = f"sha256:{'0' * 64}"


def _cut(server: Releases) -> None:
    server.cut = 100


def _no_qupath(server: Releases) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as tar:
        tar.addfile(tarfile.TarInfo("readme"))
    server.files["QuPath-v0.6.0-Linux.tar.xz"] = buffer.getvalue()


def _damaged(server: Releases) -> None:
    data = server.files["QuPath-v0.6.0-Linux.tar.xz"]
    server.files["QuPath-v0.6.0-Linux.tar.xz"] = data[: len(data) // 2]


@pytest.mark.parametrize("break_it", [_wrong_digest, _cut, _no_qupath, _damaged])
def test_what_is_not_whole_is_not_installed_and_leaves_the_old_one(
    server: Releases, data_dir: Path, break_it: Callable[[Releases], None]
) -> None:
    before = installation.install(releases.release("0.6.0"))
    (before.folder / "mine").write_text("x")
    break_it(server)
    with pytest.raises(LaunchpadError) as error:
        installation.install(releases.release("0.6.0"))
    assert error.value.advice
    assert (before.folder / "mine").exists()
    assert [item.name for item in (data_dir / "qupath").iterdir()] == ["QuPath-0.6.0"]


def test_an_installation_that_is_cancelled_leaves_nothing(server: Releases, data_dir: Path) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        installation.install(releases.release("0.6.0"), progress=progress)
    assert list((data_dir / "qupath").iterdir()) == []


def test_versions_and_systems_that_are_not_there_are_named(server: Releases) -> None:
    with pytest.raises(NotFound, match=r"0\.5\.9"):
        releases.release("0.5.9")
    with pytest.raises(BadInput, match="malformed"):
        releases.release("../latest")
    with pytest.raises(BadInput, match="aarch64"):
        releases.release("0.6.0", "Linux", "aarch64")
    with pytest.raises(NotFound, match="no file for this computer"):
        releases.release("0.6.0", "Windows")


@pytest.mark.parametrize(
    ("system", "machine", "suffix"),
    [
        ("Windows", "AMD64", "-Windows.zip"),
        ("Darwin", "arm64", "-Mac-arm64.pkg"),
        ("Darwin", "x86_64", "-Mac-x64.pkg"),
        ("Linux", "x86_64", "-Linux.tar.xz"),
    ],
)
def test_each_system_gets_its_file(system: str, machine: str, suffix: str) -> None:
    assert releases.asset_suffix(system, machine) == suffix


LAYOUTS = {
    "Linux": ("opt/QuPath/bin/QuPath", "opt/QuPath/lib/app/qupath-app-0.5.1.jar"),
    "Windows": ("Local/QuPath-0.5.1/QuPath-0.5.1.exe", "Local/QuPath-0.5.1/app/qupath-gui-fx-0.5.1.jar"),
    "Darwin": (
        "Applications/QuPath-0.5.1-arm64.app/Contents/MacOS/QuPath-0.5.1-arm64",
        "Applications/QuPath-0.5.1-arm64.app/Contents/app/QuPath.cfg",
    ),
}


@pytest.mark.parametrize("system", LAYOUTS)
def test_each_systems_layout_is_known(
    system: str, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    program, jar = (tmp_path / name for name in LAYOUTS[system])
    for path in (program, jar):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        path.chmod(0o755)
    if system == "Windows":
        program.with_name("QuPath-0.5.1 (console).exe").write_bytes(b"x")
        (program.parent / "QuPath-0.5.1 (console).exe").chmod(0o755)
    place = next(path for path in program.parents if path.name.startswith("QuPath"))
    found = installation.at(place)
    assert found is not None
    assert found == installation.at(program) == installation.at(place.parent)
    assert (found.executable, found.version, found.ours) == (program, "0.5.1", False)
    assert found.console.name == ("QuPath-0.5.1 (console).exe" if system == "Windows" else program.name)
    jar.unlink()
    assert installation.at(place) is None
    with pytest.raises(LaunchpadError, match="did not install"):
        installation.uninstall(found)


def test_the_setting_comes_first_and_versions_are_told_apart(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = stand_in.make(tmp_path / "QuPath-0.4.4", "0.4.4"), stand_in.make(tmp_path / "QuPath-0.10.0", "0.10.0")
    monkeypatch.setenv("PATH", str(old.parent))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [item.version for item in installation.find()][:2] == ["0.10.0", "0.4.4"]
    assert [item.reads_qpdata for item in installation.find()][:2] == [False, False]
    monkeypatch.setenv("LAUNCHPAD_QUPATH", str(old))
    assert installation.best().executable == old
    monkeypatch.setenv("LAUNCHPAD_QUPATH", str(new.parents[1]))
    assert installation.best().executable == new
    monkeypatch.setenv("LAUNCHPAD_QUPATH", str(tmp_path / "nowhere"))
    with pytest.raises(NotFound, match="LAUNCHPAD_QUPATH"):
        installation.best()


# --- unpacking --------------------------------------------------------------------------------------------------------
def _tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def _info(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


EVIL = [
    [(_info("../out"), b"x")],
    [(_info("a/../../out"), b"x")],
    [(_info("/out"), b"x")],
    [(_info("a\\..\\..\\out"), b"x")],
    [(_info("C:/out"), b"x")],
    [(_info("link", tarfile.SYMTYPE, "/etc/passwd"), b"")],
    [(_info("link", tarfile.SYMTYPE, "../../etc/passwd"), b"")],
    [(_info("link", tarfile.SYMTYPE, ".."), b""), (_info("link/out"), b"x")],
    [(_info("a", tarfile.SYMTYPE, "b"), b""), (_info("b", tarfile.SYMTYPE, "a"), b"")],
    [(_info("hard", tarfile.LNKTYPE, "/etc/passwd"), b"")],
    [(_info("hard", tarfile.LNKTYPE, "../passwd"), b"")],
    [(_info("device", tarfile.CHRTYPE), b"")],
    [(_info("pipe", tarfile.FIFOTYPE), b"")],
    [(_info("twice"), b"x"), (_info("twice"), b"y")],
    [(_info("large"), b"x" * 5000)],
    [(_info(f"many-{number}"), b"") for number in range(60)],
]


@pytest.mark.parametrize("members", EVIL)
def test_an_archive_with_something_evil_is_refused(
    members: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path
) -> None:
    inner = tmp_path / "deep" / "inner"
    inner.mkdir(parents=True)
    packed = _tar(tmp_path / "x.tar.gz", *members)
    with pytest.raises(LaunchpadError, match="not unpacked"):
        unpack(packed, inner, limits=Limits(size=4000, files=50))
    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(inner)]
    assert sorted(path.name for path in outside) == ["deep", "x.tar.gz"]
    assert not any(path.is_symlink() for path in inner.rglob("*"))


def test_a_zip_is_held_to_the_same_rules(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    packed = tmp_path / "x.zip"
    packed.write_bytes(stand_in.zip_of({"QuPath-0.6.0/app/a.jar": b"a", "QuPath-0.6.0/QuPath-0.6.0.exe": b"b"}))
    unpack(packed, inner)
    assert (inner / "QuPath-0.6.0" / "app" / "a.jar").read_bytes() == b"a"
    for members in ({"../out": b"x"}, {"/out": b"x"}, {"a/../../out": b"x"}, {"bomb": b"0" * 5000}):
        packed.write_bytes(stand_in.zip_of(members))
        with pytest.raises(LaunchpadError, match="not unpacked"):
            unpack(packed, inner, limits=Limits(size=4000))
    assert not (tmp_path / "out").exists()
    packed.write_bytes(b"no archive at all")
    with pytest.raises(LaunchpadError, match="damaged"):
        unpack(packed, inner)


def test_a_package_of_macos_says_that_it_needs_macos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    package = tmp_path / "QuPath.pkg"
    package.write_bytes(b"xar!")
    with pytest.raises(LaunchpadError, match="macOS"):
        unpack(package, tmp_path)


def test_a_running_one_is_not_removed(server: Releases) -> None:
    made = installation.install(releases.release("0.6.0"))
    processes.start([str(made.executable)])
    try:
        stand_in.started(made.executable)
        with pytest.raises(LaunchpadError, match="running"):
            installation.uninstall(made)
        with pytest.raises(LaunchpadError, match="running"):
            installation.install(releases.release("0.6.0"))
    finally:
        stand_in.end(made.executable)
    installation.uninstall(made)
