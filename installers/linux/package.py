"""Makes Linux packages of the frozen bundle: `package.py [--bundle DIR] [--out DIR] [--work DIR] [KIND …]`.

Kinds: deb, rpm, appdir, tar (all by default), appimage (where there is a runtime for it, see below).

The same bundle gives the same bytes: every file has the time of SOURCE_DATE_EPOCH (default: the last commit), root as
owner, and a place in the order of names. With a key (signing.py) each file gets a signature beside it; without one it
is named `-unsigned`, and the last line says so. An AppDir is a folder, which nobody signs.

An AppImage begins with a program of others, its runtime: LAUNCHPAD_APPIMAGE_RUNTIME is its file, _SHA256 its checksum.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import signing  # noqa: E402

ROOT = HERE.parents[1]
NAME = "pathology-launchpad"
COMPONENT = "org.pathology_launchpad.Launchpad"  # AppStream's name of it
PREFIX = Path("opt") / NAME
ICON_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
DEPENDS = (
    "libc6 (>= @GLIBC@), libegl1, libgl1, libxcb1, libwayland-client0, libwayland-cursor0, libwayland-egl1, "
    "fontconfig-config, xkb-data"
)
RUNTIME = "LAUNCHPAD_APPIMAGE_RUNTIME"
OLDEST_GLIBC = (2, 36)  # of the systems that packages are tried on
RECOMMENDS = "fonts-dejavu-core | fonts-noto-core, xdg-desktop-portal, ca-certificates"
SUMMARY = "Run computational pathology applications on whole slide images"
DESCRIPTION = """Launchpad runs computational pathology applications on whole slide images and
opens the results in QuPath and Python notebooks: a desktop application and a
command line. Its own applications are for research use only, not a
diagnostic device."""


class PackagingFailed(Exception):
    """What stands in the way of a package."""


def version() -> str:
    """The version in pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def version_of_package() -> str:
    """The version as dpkg and rpm order it: a trial version comes before its release (1.2.0~rc1 before 1.2.0)."""
    return re.sub(r"(a|b|rc)(?=\d)", r"~\1", version()).replace(".dev", "~~dev")


def glibc(bundle: Path) -> str:
    """The oldest glibc that all libraries of a bundle load with: what a newer system adds is not in an older one."""
    found = [OLDEST_GLIBC]
    for path in bundle.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if content.startswith(b"\x7fELF"):
                found += [(2, int(minor)) for minor in re.findall(rb"\0GLIBC_2\.(\d+)(?:\.\d+)?(?=\0)", content)]
    return ".".join(map(str, max(found)))


def epoch() -> int:
    """Seconds since 1970 that every packaged file gets: SOURCE_DATE_EPOCH, or the time of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        return int(given)
    asked = subprocess.run(
        ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False
    )
    if asked.returncode != 0:
        raise PackagingFailed("no commit to take the time from: set SOURCE_DATE_EPOCH")
    return int(asked.stdout)


def architecture(kind: str) -> str:
    """This machine's name in a .deb or an .rpm."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine) if kind == "deb" else machine


def mark() -> str:
    """What the name of an unsigned file ends with."""
    return "" if signing.has_key() else "-unsigned"


def metainfo() -> str:
    """The AppStream description of this version."""
    date = time.strftime("%Y-%m-%d", time.gmtime(epoch()))
    text = (HERE / f"{NAME}.metainfo.xml.in").read_text(encoding="utf-8")
    return text.replace("@VERSION@", version()).replace("@DATE@", date)


def lay_out(bundle: Path, root: Path) -> None:
    """All files as they lie on a system, below `root`, with settled modes and times."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(bundle, root / PREFIX, symlinks=True)
    share = root / "usr" / "share"
    (root / "usr" / "bin").mkdir(parents=True)
    for program in ("launchpad", "launchpad-desktop"):
        (root / "usr" / "bin" / program).symlink_to(f"../../{PREFIX.as_posix()}/{program}")
    write(share / "applications" / f"{NAME}.desktop", (HERE / f"{NAME}.desktop").read_text(encoding="utf-8"))
    write(share / "metainfo" / f"{COMPONENT}.metainfo.xml", metainfo())
    write(share / "mime" / "packages" / f"{NAME}.xml", (HERE / f"{NAME}.mime.xml").read_text(encoding="utf-8"))
    icons(share / "icons" / "hicolor")
    documents = share / "doc" / NAME
    notices = (ROOT / "resources" / "LICENSES.md").read_text(encoding="utf-8")
    write(documents / "copyright", (ROOT / "LICENSE").read_text(encoding="utf-8") + "\n" + notices)
    settle(root)


def icons(hicolor: Path) -> None:
    """The icon as SVG and as PNG in each size."""
    drawn = hicolor.parent / "drawn"
    script = ROOT / "installers" / "icons.py"
    subprocess.run([sys.executable, str(script), str(drawn)], check=True)
    for size in ICON_SIZES:
        place = hicolor / f"{size}x{size}" / "apps"
        place.mkdir(parents=True)
        shutil.copyfile(drawn / f"launchpad-{size}.png", place / f"{NAME}.png")
    scalable = hicolor / "scalable" / "apps"
    scalable.mkdir(parents=True)
    shutil.copyfile(ROOT / "resources" / "launchpad.svg", scalable / f"{NAME}.svg")
    shutil.rmtree(drawn)


def write(path: Path, text: str) -> None:
    """A text file in UTF-8, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def settle(root: Path) -> None:
    """One time for all, 0755 for folders and programs, 0644 for the rest."""
    moment = epoch()
    for path in sorted(root.rglob("*"), reverse=True):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (moment, moment), follow_symlinks=False)
    root.chmod(0o755)
    os.utime(root, (moment, moment))


def deb(bundle: Path, work: Path, out: Path) -> Path:
    """A package for Debian and Ubuntu."""
    root = work / "deb"
    lay_out(bundle, root)
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    size = sum(path.stat().st_size for path in files) // 1024
    control = {
        "Package": NAME,
        "Version": version_of_package(),
        "Section": "science",
        "Priority": "optional",
        "Architecture": architecture("deb"),
        "Installed-Size": str(size),
        "Depends": DEPENDS.replace("@GLIBC@", glibc(bundle)),
        "Recommends": RECOMMENDS,
        # The project has no address of its own; whoever builds packages for others gives theirs.
        "Maintainer": os.environ.get("LAUNCHPAD_MAINTAINER") or "The Launchpad authors",
        "Description": SUMMARY + "\n" + "\n".join(f" {line}" for line in DESCRIPTION.splitlines()),
    }
    write(root / "DEBIAN" / "control", "".join(f"{key}: {value}\n" for key, value in control.items()))
    sums = (f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root).as_posix()}\n" for path in files)
    write(root / "DEBIAN" / "md5sums", "".join(sums))
    settle(root)
    target = out / f"{NAME}_{version()}_{architecture('deb')}{mark()}.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--threads-max=2", "--build", str(root), str(target)]
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch())}
    )
    return target


def rpm(bundle: Path, work: Path, out: Path) -> Path:
    """A package for Fedora and its relatives, by rpmbuild."""
    if shutil.which("rpmbuild") is None:
        raise PackagingFailed("rpmbuild is missing: install the package rpm")
    root, top = work / "rpm", work / "rpmbuild"
    lay_out(bundle, root)
    shutil.rmtree(top, ignore_errors=True)
    listed = [f"/{PREFIX.as_posix()}"]
    for path in sorted(root.joinpath("usr").rglob("*")):
        if path.is_symlink() or path.is_file():
            listed.append("/" + path.relative_to(root).as_posix())
    spec = (HERE / f"{NAME}.spec.in").read_text(encoding="utf-8")
    for key, value in {
        "@VERSION@": version_of_package(),
        "@GLIBC@": glibc(bundle),
        "@SUMMARY@": SUMMARY,
        "@DESCRIPTION@": DESCRIPTION,
        "@TREE@": str(root),
        "@FILES@": "\n".join(listed),
    }.items():
        spec = spec.replace(key, value)
    write(top / f"{NAME}.spec", spec)
    defines = {
        "_topdir": str(top),
        "_buildhost": "launchpad",
        "use_source_date_epoch_as_buildtime": "1",
        "clamp_mtime_to_source_date_epoch": "1",
        "_binary_payload": "w12.zstdio",  # a quarter of the time of xz
        "__os_install_post": "%{nil}",
        "_build_id_links": "none",
    }
    command = ["rpmbuild", "-bb", "--quiet", "--target", architecture("rpm")]
    for key, value in defines.items():
        command += ["--define", f"{key} {value}"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch())}
    subprocess.run([*command, str(top / f"{NAME}.spec")], check=True, env=environment)
    (built,) = (top / "RPMS").rglob("*.rpm")
    # Names of files have no "~": web servers of releases change it.
    target = out / f"{NAME}-{version()}-1.{architecture('rpm')}{mark()}.rpm"
    shutil.copyfile(built, target)
    return target


def appdir(bundle: Path, work: Path, out: Path) -> Path:
    """A folder that runs from anywhere; what an AppImage holds."""
    target = out / f"{NAME}-{version()}-{architecture('rpm')}-unsigned.AppDir"
    lay_out(bundle, target)
    (target / "AppRun").symlink_to(f"{PREFIX.as_posix()}/launchpad-desktop")
    (target / f"{NAME}.desktop").symlink_to(f"usr/share/applications/{NAME}.desktop")
    (target / f"{NAME}.png").symlink_to(f"usr/share/icons/hicolor/256x256/apps/{NAME}.png")
    (target / ".DirIcon").symlink_to(f"{NAME}.png")
    settle(target)
    return target


def appimage(bundle: Path, work: Path, out: Path) -> Path:
    """The AppDir in one file that runs from anywhere: the runtime, and behind it a picture of the folder."""
    runtime = os.environ.get(RUNTIME, "")
    if not runtime or not Path(runtime).is_file():
        raise PackagingFailed(f"no runtime for an AppImage: {RUNTIME} is its file, {RUNTIME}_SHA256 its checksum")
    if shutil.which("mksquashfs") is None:
        raise PackagingFailed("mksquashfs is missing: install the package squashfs-tools")
    head = Path(runtime).read_bytes()
    if head[:4] != b"\x7fELF" or head[8:11] != b"AI\x02":
        raise PackagingFailed(f"{runtime} is no runtime of AppImages")
    if hashlib.sha256(head).hexdigest() != os.environ.get(f"{RUNTIME}_SHA256", "").lower():
        raise PackagingFailed(f"{runtime} is not the runtime that {RUNTIME}_SHA256 names")
    folder, image = appdir(bundle, work, work / "image"), work / "image.squashfs"
    command = ["mksquashfs", str(folder), str(image), "-root-owned", "-noappend", "-no-xattrs", "-comp", "zstd"]
    command += ["-processors", "2", "-no-progress", "-quiet"]
    subprocess.run(command, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch())})
    target = out / f"{NAME}-{version()}-{architecture('rpm')}{mark()}.AppImage"
    with target.open("wb") as file, image.open("rb") as packed:
        file.write(head)
        shutil.copyfileobj(packed, file)
    target.chmod(0o755)
    return target


def tar(bundle: Path, work: Path, out: Path) -> Path:
    """The bundle as it is, with desktop files beside it, to unpack anywhere."""
    stem = f"{NAME}-{version()}-linux-{architecture('rpm')}"
    root = work / "tar"
    lay_out(bundle, root)
    target = out / f"{stem}{mark()}.tar.xz"
    moment = epoch()

    def same(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        info.mtime = moment
        return info

    # Two threads cut it into the same blocks on every machine.
    command = ["xz", "-6", "--threads=2", "--stdout"]
    with (
        target.open("wb") as file,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file) as xz,
        tarfile.open(fileobj=xz.stdin, mode="w|", format=tarfile.GNU_FORMAT) as packed,
    ):
        packed.add(root / PREFIX, stem, filter=same)  # folders are added in the order of names
        packed.add(root / "usr" / "share", f"{stem}/share", filter=same)
    if xz.returncode != 0:
        raise PackagingFailed(f"xz ended with {xz.returncode}")
    return target


KINDS: dict[str, Callable[[Path, Path, Path], Path]] = {
    "deb": deb, "rpm": rpm, "appdir": appdir, "tar": tar, "appimage": appimage,
}  # fmt: skip


def kinds_by_default() -> list[str]:
    """All that can be made here."""
    if os.environ.get(RUNTIME):
        return list(KINDS)
    sys.stdout.write(f"no AppImage: {RUNTIME} is not set\n")
    return [kind for kind in KINDS if kind != "appimage"]


def forget_other_name(made: Path) -> None:
    """Remove what the same file was called when it was signed, or was not: two of them would be mistaken."""
    end = ".tar.xz" if made.name.endswith(".tar.xz") else made.suffix
    stem = made.name.removesuffix(end)
    other = stem.removesuffix("-unsigned") if stem.endswith("-unsigned") else f"{stem}-unsigned"
    for name in (f"{other}{end}", f"{other}{end}.asc"):
        made.with_name(name).unlink(missing_ok=True)


def main(argv: list[str] | None = None) -> int:
    """Make the wanted kinds and print size and seconds of each."""
    parser = argparse.ArgumentParser(prog="package.py", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=ROOT / "dist" / "launchpad")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build" / "linux", help="a folder that is removed afterwards"
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    arguments = parser.parse_args(argv)
    unknown = set(arguments.kinds) - set(KINDS)
    if unknown:
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    if not (arguments.bundle / "launchpad-desktop").is_file():
        sys.stderr.write(f"{arguments.bundle} holds no bundle. Run `make freeze` first.\n")
        return 2
    work = arguments.work
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = []
    try:
        for kind in arguments.kinds or kinds_by_default():
            begun = time.monotonic()
            making = work / "made"  # nothing that is half made comes to the others
            making.mkdir(parents=True, exist_ok=True)
            made = KINDS[kind](arguments.bundle, work, making)
            target = arguments.out / made.name
            if target.is_dir():
                shutil.rmtree(target)
            made = Path(shutil.move(made, target))
            size = sum(path.lstat().st_size for path in (made.rglob("*") if made.is_dir() else [made]))
            sys.stdout.write(f"{made.name}: {size / 1e6:.1f} MB, {time.monotonic() - begun:.1f} s\n")
            sys.stdout.flush()
            if made.is_file():
                files.append(made)
                forget_other_name(made)
        if signing.has_key():
            signing.sign(files)
    except (PackagingFailed, signing.SigningFailed, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"The package was not made: {error}\n")
        return 1
    finally:
        shutil.rmtree(work, ignore_errors=True)
    what = ", ".join(file.name for file in files) or "the AppDir"
    sys.stdout.write(f"{'signed' if files and signing.has_key() else 'unsigned'}: {what}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
