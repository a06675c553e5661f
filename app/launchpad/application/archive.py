"""The results of a run as one ZIP, streamed: memory does not grow, and files over 4 GB are no trouble (Zip64)."""

from __future__ import annotations

import secrets
import shutil
import zipfile
from pathlib import Path

from launchpad.application.run_folder import files_of
from launchpad.errors import LaunchpadError, NotFound
from launchpad.progress import Progress

_BLOCK = 1 << 20
_LARGE = 1 << 30  # bytes from which a file is written so that it may have 4 GiB and more
_PACKED = frozenset((".png", ".zip", ".gz", ".jpg", ".jpeg", ".parquet"))  # packing them again gains nothing


def zip_run(folder: Path, destination: Path | None = None, *, progress: Progress | None = None) -> Path:
    """Pack a run's folder into `destination` (default: `<folder>.zip` beside it), whole or not at all; its path.

    Progress in bytes. Names in the archive begin with the folder's.

    Raises:
        NotFound: there is no such folder, or nothing in it.
        LaunchpadError: the archive cannot be written.
        Cancelled: the progress was cancelled; nothing is left behind.
    """
    watch = progress or Progress()
    target = destination or folder.with_name(f"{folder.name}.zip")
    if not folder.is_dir():
        raise NotFound("The results are not on this computer", advice="Download them first.", subject=str(folder))
    files = [path for path in files_of(folder) if path != target]
    if not files:
        raise NotFound("There are no results in the folder", advice="Download them first.", subject=str(folder))
    total = sum(path.stat().st_size for path in files)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    done = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(temporary, "w", allowZip64=True) as archive:
            for path in files:
                entry = zipfile.ZipInfo.from_file(path, Path(folder.name, path.relative_to(folder)).as_posix())
                packed = path.suffix.lower() in _PACKED
                entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
                # Said before its size is known for sure: a file may grow. Not of a small one: until 3.11.4 Python wrote
                # a local header then that strict readers refuse.
                is_large = entry.file_size >= _LARGE
                with path.open("rb") as source, archive.open(entry, "w", force_zip64=is_large) as out:
                    while block := source.read(_BLOCK):
                        out.write(block)
                        done += len(block)
                        watch.report(done, total, path.name)
        temporary.replace(target)
    except OSError as error:
        raise LaunchpadError(
            "The ZIP file cannot be written",
            detail=f"{error.strerror or error}. {shutil.disk_usage(folder).free / 1e9:.1f} GB are free.",
            advice="Choose another place, or make room.",
            subject=str(target),
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return target
