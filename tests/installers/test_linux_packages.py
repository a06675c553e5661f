"""Packages for Linux, of a small stand-in for the bundle; needs neither network nor root."""

from __future__ import annotations

import configparser
import hashlib
import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
from PySide6.QtGui import QImage

from launchpad.wsi.formats import NAMES

ROOT = Path(__file__).resolve().parents[2]
LINUX = ROOT / "installers" / "linux"
MIME = "{http://www.freedesktop.org/standards/shared-mime-info}"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="packages for Linux are made on Linux")


@pytest.fixture(scope="module")
def package() -> ModuleType:
    spec = importlib.util.spec_from_file_location("package", LINUX / "package.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "_internal").mkdir(parents=True)
    for name in ("launchpad", "launchpad-desktop"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o700)
    (folder / "_internal" / "library.so").write_bytes(b"library")
    (folder / "_internal" / "again.so").symlink_to("library.so")
    return folder


def test_a_package_wants_the_glibc_that_its_libraries_want(package: ModuleType, bundle: Path) -> None:
    assert package.glibc(bundle) == "2.36", "no less than what was tried"
    (bundle / "_internal" / "old.so").write_bytes(b"\x7fELF\0GLIBC_2.17\0GLIBC_2.2.5\0")
    assert package.glibc(bundle) == "2.36"
    (bundle / "_internal" / "text.so").write_bytes(b"\0GLIBC_2.99\0")
    (bundle / "_internal" / "new.so").write_bytes(b"\x7fELF\0GLIBC_2.4\0GLIBC_2.41\0__libc\0")
    assert package.glibc(bundle) == "2.41"


def made(package: ModuleType, kind: str, bundle: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    out.mkdir()
    result = package.KINDS[kind](bundle, out / "a folder of work", out)
    assert isinstance(result, Path)
    return result


@pytest.mark.parametrize("kind", ["deb", "rpm", "tar"])
def test_two_builds_give_the_same_bytes(
    kind: str, package: ModuleType, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = {"deb": "dpkg-deb", "rpm": "rpmbuild"}.get(kind)
    if tool and shutil.which(tool) is None:
        pytest.skip(f"{tool} is not on this machine")
    first = made(package, kind, bundle, tmp_path / "first", monkeypatch)
    for path in bundle.rglob("*"):
        path.touch()
    second = made(package, kind, bundle, tmp_path / "second", monkeypatch)
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not on this machine")
def test_the_deb_says_what_it_is_and_holds_both_programs(
    package: ModuleType, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made(package, "deb", bundle, tmp_path / "out", monkeypatch)
    assert file.name.endswith("-unsigned.deb")
    fields = subprocess.run(["dpkg-deb", "--field", file], capture_output=True, text=True, check=True).stdout
    assert "Package: pathology-launchpad\n" in fields
    assert f"Version: {package.version_of_package()}\n" in fields
    assert "libc6 (>= 2.36)" in fields
    assert "Maintainer: The Launchpad authors\n" in fields, "no address is made up"
    listing = subprocess.run(["dpkg-deb", "--contents", file], capture_output=True, text=True, check=True).stdout
    for program in ("launchpad", "launchpad-desktop"):
        assert f"./usr/bin/{program} -> ../../opt/pathology-launchpad/{program}\n" in listing
        assert f"-rwxr-xr-x root/root        10 2023-11-14 22:13 ./opt/pathology-launchpad/{program}\n" in listing
    assert "./usr/share/applications/pathology-launchpad.desktop\n" in listing
    assert "./usr/share/doc/pathology-launchpad/copyright\n" in listing


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not on this machine")
def test_a_trial_version_is_older_than_its_release(
    package: ModuleType, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rising = ["1.9.0", "1.10.0.dev1", "1.10.0a1.dev1", "1.10.0a1", "1.10.0rc1", "1.10.0"]
    for number, version in enumerate(rising):
        monkeypatch.setattr(package, "version", lambda version=version: version)
        rising[number] = package.version_of_package()
    for older, newer in itertools.pairwise(rising):
        subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=True)
    monkeypatch.setattr(package, "version", lambda: "1.10.0rc1")
    made_of = made(package, "rpm" if shutil.which("rpmbuild") else "deb", bundle, tmp_path / "out", monkeypatch)
    assert "1.10.0rc1" in made_of.name, "no ~ in a file's name"
    if made_of.suffix == ".rpm":
        said = subprocess.run(["rpm", "-qp", "--qf", "%{VERSION}", made_of], capture_output=True, text=True, check=True)
        assert said.stdout == "1.10.0~rc1"


def test_the_appdir_starts_the_window(
    package: ModuleType, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(package, "appdir", bundle, tmp_path / "out", monkeypatch)
    assert (folder / "AppRun").resolve() == folder / "opt" / "pathology-launchpad" / "launchpad-desktop"
    for name in (".DirIcon", "pathology-launchpad.png", "pathology-launchpad.desktop"):
        assert (folder / name).is_file()
    for size in package.ICON_SIZES:
        icon = QImage(str(folder / f"usr/share/icons/hicolor/{size}x{size}/apps/pathology-launchpad.png"))
        assert (icon.width(), icon.height()) == (size, size)
        assert len({icon.pixel(x, y) for x in range(size) for y in range(size)}) > 3


@pytest.mark.skipif(shutil.which("mksquashfs") is None, reason="mksquashfs is not on this machine")
def test_an_appimage_is_made_of_the_runtime_that_is_named_and_of_no_other(
    package: ModuleType, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(package.RUNTIME, raising=False)
    assert "appimage" not in package.kinds_by_default()
    runtime = tmp_path / "runtime"
    runtime.write_bytes(b"\x7fELF" + bytes(4) + b"AI\x02" + bytes(100))
    monkeypatch.setenv(package.RUNTIME, str(runtime))
    monkeypatch.setenv(f"{package.RUNTIME}_SHA256", "0" * 64)
    assert "appimage" in package.kinds_by_default()
    with pytest.raises(package.PackagingFailed, match="is not the runtime"):
        package.appimage(bundle, tmp_path / "work", tmp_path)
    monkeypatch.setenv(f"{package.RUNTIME}_SHA256", hashlib.sha256(runtime.read_bytes()).hexdigest())
    file = made(package, "appimage", bundle, tmp_path / "first", monkeypatch)
    assert file.name.endswith("-unsigned.AppImage")
    assert file.stat().st_mode & 0o111
    assert file.read_bytes().startswith(runtime.read_bytes() + b"hsqs")
    offset = ["unsquashfs", "-offset", str(runtime.stat().st_size), "-lls", file]
    listing = subprocess.run(offset, capture_output=True, text=True, check=True).stdout
    assert "squashfs-root/AppRun -> opt/pathology-launchpad/launchpad-desktop\n" in listing
    for path in bundle.rglob("*"):
        path.touch()
    assert made(package, "appimage", bundle, tmp_path / "second", monkeypatch).read_bytes() == file.read_bytes()


def test_the_tar_unpacks_into_one_folder(
    package: ModuleType, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made(package, "tar", bundle, tmp_path / "out", monkeypatch)
    with tarfile.open(file) as packed:
        members = packed.getmembers()
    stem = file.name.removesuffix("-unsigned.tar.xz")
    assert {member.name.split("/")[0] for member in members} == {stem}
    assert {(member.uid, member.uname, member.mtime) for member in members} == {(0, "root", 1700000000)}
    assert f"{stem}/launchpad-desktop" in {member.name for member in members}


def test_desktop_entry_and_mime_types_know_every_slide_format_and_links() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment, method-assign]
    entry.read(LINUX / "pathology-launchpad.desktop", encoding="utf-8")
    fields = entry["Desktop Entry"]
    assert fields["Exec"] == "launchpad-desktop %U"
    wanted = set(fields["MimeType"].strip(";").split(";"))
    assert "x-scheme-handler/launchpad" in wanted
    types = ElementTree.parse(LINUX / "pathology-launchpad.mime.xml").getroot()
    globs = {
        glob.attrib["pattern"].removeprefix("*"): kind.attrib["type"]
        for kind in types.iter(f"{MIME}mime-type")
        for glob in kind.iter(f"{MIME}glob")
    }
    # TIFF and DICOM are known to every system.
    assert set(globs) == set(NAMES) - {".tif", ".tiff", ".dcm"}
    assert set(globs.values()) <= wanted


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="the validator is not on this machine")
def test_the_desktop_entry_is_valid() -> None:
    subprocess.run(["desktop-file-validate", LINUX / "pathology-launchpad.desktop"], check=True)


def test_the_metainfo_names_this_version(package: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    component = ElementTree.fromstring(package.metainfo())
    release = component.find("releases/release")
    assert release is not None
    assert release.attrib == {"version": package.version(), "date": "2023-11-14"}
    assert component.findtext("launchable") == "pathology-launchpad.desktop"
    assert component.findtext("id") == package.COMPONENT


@pytest.mark.skipif(shutil.which("appstreamcli") is None, reason="the validator is not on this machine")
def test_the_metainfo_is_valid(package: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    file = tmp_path / f"{package.COMPONENT}.metainfo.xml"
    file.write_text(package.metainfo(), encoding="utf-8")
    said = subprocess.run(["appstreamcli", "validate", "--no-net", file], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def run_package(bundle: Path, out: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, LINUX / "package.py", "--bundle", bundle, "--out", out, "--work", out / "work", "tar"]
    return subprocess.run(
        command, capture_output=True, text=True, check=False,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000", **environment},
    )  # fmt: skip


def test_without_a_key_names_and_last_line_say_unsigned(bundle: Path, tmp_path: Path) -> None:
    done = run_package(bundle, tmp_path)
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("*.tar.xz*")
    assert file.name.endswith("-unsigned.tar.xz")
    assert done.stdout.splitlines()[-1] == f"unsigned: {file.name}"


@pytest.mark.skipif(not (shutil.which("gpg") and shutil.which("gpg-agent")), reason="gpg is not on this machine")
def test_with_a_key_a_signature_lies_beside_the_file_and_a_flipped_bit_is_refused(
    package: ModuleType, bundle: Path, tmp_path: Path
) -> None:
    secret, public = throwaway_key(tmp_path / "keys")
    out = tmp_path / "out"
    out.mkdir()
    environment = {"LAUNCHPAD_LINUX_SIGNING_KEY": str(secret), "LAUNCHPAD_LINUX_SIGNING_KEY_PASSPHRASE": "a word"}
    before = out / f"pathology-launchpad-{package.version()}-linux-{package.architecture('rpm')}-unsigned.tar.xz"
    before.write_bytes(b"made without a key")
    wrong = subprocess.run(
        [sys.executable, LINUX / "signing.py", before], capture_output=True, text=True, check=False,
        env={**os.environ, **environment, "LAUNCHPAD_LINUX_SIGNING_KEY_PASSPHRASE": "another"},
    )  # fmt: skip
    assert (wrong.returncode, wrong.stdout[:9]) == (1, "refused: ")
    done = run_package(bundle, out, **environment)
    assert done.returncode == 0, done.stderr
    file, signature = sorted(out.glob("*.tar.xz*"))
    assert "unsigned" not in file.name, "and the file that was made without a key is gone"
    assert signature.name == f"{file.name}.asc"
    assert done.stdout.splitlines()[-1] == f"signed: {file.name}"
    verify = [sys.executable, LINUX / "signing.py", "--verify", public, file]
    assert subprocess.run(verify, capture_output=True, text=True, check=False).stdout == "verified\n"
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    refused = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stdout.startswith("refused: ")


def throwaway_key(folder: Path) -> tuple[Path, Path]:
    """Files of a secret key with the passphrase "a word" and of its public key."""
    folder.mkdir()
    home = tempfile.mkdtemp(prefix="lpgpg", dir="/tmp")  # gpg's sockets want a short path
    Path(home, "gpg-agent.conf").write_text("s2k-count 65536\n")
    gpg = ["gpg", "--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "a word"]
    try:
        made = ["--quick-generate-key", "Throwaway <throwaway@example.org>", "ed25519", "sign", "never"]
        subprocess.run([*gpg, *made], check=True, capture_output=True)
        for kind, name in (("--export-secret-keys", "secret.asc"), ("--export", "public.asc")):
            subprocess.run([*gpg, "--armor", "--output", folder / name, kind], check=True, capture_output=True)
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)
    return folder / "secret.asc", folder / "public.asc"
