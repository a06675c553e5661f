"""`launchpad bucket`: files of one's own in the organization's bucket."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli.output import Format, complain, print_json, progress_bar, say, warn
from launchpad.cli.wildcards import one
from launchpad.errors import LaunchpadError, NotFound
from launchpad.progress import Cancelled

if TYPE_CHECKING:
    from launchpad.bucket.base import Bucket, ObjectInfo

app = typer.Typer(help="Files in the organization's bucket.", no_args_is_help=True)

_What = Annotated[list[str] | None, typer.Argument(help="Regular expressions, or keys with --what-is-key.")]
_Keys = Annotated[bool, typer.Option("--what-is-key", help="Take the arguments as whole keys.")]
_Dry = Annotated[bool, typer.Option("--dry-run/--no-dry-run", help="Only say what would be deleted.")]


@app.callback()
def bucket() -> None:
    """Files in the organization's bucket."""


@contextlib.contextmanager
def _opened() -> Iterator[Bucket]:
    from launchpad.application.submit import open_bucket
    from launchpad.cli.run_steps import service

    with service() as platform, contextlib.closing(open_bucket(platform.client)) as opened:
        yield opened


@app.command()
def upload(
    source: Annotated[Path, typer.Argument(help="A file, or a folder with all below it.", callback=one)],
    destination_prefix: Annotated[str, typer.Option(help="Beginning of the keys.")] = "{username}",
) -> None:
    """Upload a file or a folder; run it again to go on after an interruption."""
    from launchpad.bucket.objects import sources
    from launchpad.bucket.upload import upload_files

    files = sources(source, destination_prefix)
    try:
        with _opened() as opened, progress_bar("Uploading", unit="bytes") as progress:
            done = upload_files(opened, files, progress)
    except (Cancelled, KeyboardInterrupt):
        warn("Stopped. What was sent is kept: run the same command again to go on from there.")
        raise
    failed = [item for item in done if isinstance(item, LaunchpadError)]
    for error in failed:
        complain(f"Not uploaded: {error}")
    say(f"Uploaded {len(done) - len(failed)} of {len(done)} file(s) to {opened.uri(files[0].key.rpartition('/')[0])}")
    if failed:
        raise typer.Exit(1)


@app.command()
def find(
    what: _What = None,
    what_is_key: _Keys = False,
    detail: Annotated[bool, typer.Option("--detail", help="Also size, date and checksum.")] = False,
    signed_urls: Annotated[bool, typer.Option("--signed-urls", help="Also a URL that opens it for 7 days.")] = False,
    output_format: Annotated[Format, typer.Option("--format", help="It is JSON in any case.")] = Format.JSON,
) -> None:
    """Print keys as JSON."""
    from launchpad.application.bucket_service import described
    from launchpad.bucket.objects import find as search

    with _opened() as opened:
        found = search(opened, what or [], what_is_key=what_is_key)
        if not (detail or signed_urls):
            print_json([info.key for info in found])
            return
        print_json([described(opened, info, detail=detail, signed=signed_urls) for info in found])


@app.command()
def download(
    what: _What = None,
    what_is_key: _Keys = False,
    destination: Annotated[Path | None, typer.Option(help="The folder; it is made.")] = None,
) -> None:
    """Download objects into one folder; run it again to go on after an interruption."""
    from launchpad import paths
    from launchpad.application.bucket_files import download_objects
    from launchpad.bucket.objects import find as search

    folder = destination or paths.data_dir() / "bucket_downloads"
    with _opened() as opened:
        found = search(opened, what or [], what_is_key=what_is_key)
        if not found:
            raise NotFound("Nothing fits", advice="Look with `launchpad bucket find`.", subject=" ".join(what or []))
        with progress_bar("Downloading", unit="bytes") as progress:
            done = download_objects(opened, found, folder, progress)
    for item in done:
        if item.error is not None:
            complain(f"Not downloaded {item.info.key}: {item.error}")
    failed = sum(item.error is not None for item in done)
    say(f"Downloaded {len(found) - failed} of {len(found)} file(s) to {folder}")
    if failed:
        raise typer.Exit(1)


@app.command()
def delete(what: _What = None, what_is_key: _Keys = False, dry_run: _Dry = True) -> None:
    """Delete objects."""
    from launchpad.bucket.objects import find as search

    if not what:
        raise typer.BadParameter("Say which objects, or use `launchpad bucket purge`.")
    with _opened() as opened:
        _delete(opened, search(opened, what, what_is_key=what_is_key), dry_run=dry_run)


@app.command()
def purge(
    dry_run: _Dry = True,
    older_than_days: Annotated[float | None, typer.Option(min=0, help="Only what is older.")] = None,
) -> None:
    """Delete all objects of the bucket."""
    from launchpad.bucket.objects import older_than

    with _opened() as opened:
        found = list(opened.list())
        if older_than_days is not None:
            found = older_than(found, datetime.now(UTC) - timedelta(days=older_than_days))
        _delete(opened, found, dry_run=dry_run)


def _delete(opened: Bucket, found: list[ObjectInfo], *, dry_run: bool) -> None:
    if dry_run:
        say(f"Would delete {len(found)} object(s); --no-dry-run deletes them.")
        return
    say(f"Deleted {opened.delete(info.key for info in found)} object(s).")
