"""`launchpad qupath`: install and start QuPath, make and look at its projects."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli.output import Format, complain, print_json, progress_bar, say, warn
from launchpad.cli.wildcards import many
from launchpad.errors import BadInput, NotFound

if TYPE_CHECKING:
    from launchpad.qupath.installation import Installation
    from launchpad.qupath.releases import Release

app = typer.Typer(help="QuPath: install and start it, make and look at its projects.", no_args_is_help=True)

_Project = Annotated[Path, typer.Argument(help="Folder of the project.")]
_Folder = Annotated[Path | None, typer.Option(help="Folder of installations; default: Launchpad's own.")]
_System = Annotated[str | None, typer.Option(help="For another system: Linux, Darwin or Windows.")]
_Format = Annotated[Format, typer.Option("--format", help="How to print.")]
_Machine = Annotated[str | None, typer.Option(help="For another machine, such as x86_64 or arm64.")]


@app.callback()
def qupath() -> None:
    """QuPath: install and start it, make and look at its projects."""


@app.command()
def install(
    version: Annotated[str, typer.Option(help="The version.")] = "0.6.0",
    path: _Folder = None,
    reinstall: Annotated[bool, typer.Option(help="Replace that version where it is there.")] = True,
    platform_system: _System = None,
    platform_machine: _Machine = None,
    accept_unverified: Annotated[
        bool, typer.Option("--accept-unverified", help="Install also when the server gives no checksum.")
    ] = False,
) -> None:
    """Download and unpack QuPath; no administrator rights are needed."""
    from launchpad.qupath import installation, releases

    chosen = releases.release(version, platform_system, platform_machine)
    say(f"{chosen.name}, {chosen.size / 1e6:,.0f} MB, into {path or installation.own_folder()}")

    def accepted(release: Release) -> bool:
        warn(f"The server gives no checksum for {release.name}: nobody can tell whether it arrives unchanged.")
        return accept_unverified or (sys.stdin.isatty() and typer.confirm("Install it all the same?"))

    with progress_bar("QuPath", unit="bytes") as progress:
        made = installation.install(chosen, path, reinstall=reinstall, accept_unverified=accepted, progress=progress)
    say(f"QuPath {made.version} is installed: {made.executable}")


@app.command()
def uninstall(
    version: Annotated[str | None, typer.Option(help="The version; default: all.")] = None,
    path: _Folder = None,
    platform_system: _System = None,
    platform_machine: _Machine = None,
) -> None:
    """Remove what Launchpad installed; other installations are left alone."""
    from launchpad.qupath.service import Service

    if not Service.uninstall_qupath(version, path):
        name = f"QuPath {version}" if version else "QuPath"
        raise NotFound("Launchpad has not installed it", advice="There is nothing to remove.", subject=name)
    say("QuPath is removed.")


@app.command()
def launch(
    project: Annotated[Path | None, typer.Option(help="Folder of a project, or of the results of a run.")] = None,
    image: Annotated[str | None, typer.Option(help="Name of an image of the project, or a slide file.")] = None,
    script: Annotated[Path | None, typer.Option(help="A Groovy script to run.")] = None,
) -> None:
    """Start QuPath; it goes on when this command ends."""
    from launchpad.qupath import builder, service, starting
    from launchpad.qupath.from_run import FOLDER
    from launchpad.qupath.project import PROJECT_FILE

    chosen = _chosen()
    if project is not None and not (project / PROJECT_FILE).is_file() and (project / FOLDER / PROJECT_FILE).is_file():
        project = project / FOLDER
    if project is not None and not builder.is_open(project):
        found = service.correct_images(project)
        for name in found.moved:
            warn(f"{name}: its file has moved and was found.")
        for name in found.missing:
            complain(f"{name}: its file is missing.")
    if script is not None:
        pid = service.Service.execute_qupath(project=project, image=image, script=script)
    else:
        pid = starting.launch(chosen, project, image)
    say(f"QuPath {chosen.version} runs with process id {pid}.".replace("  ", " "))


@app.command("open")
def open_results(
    run_folder: Annotated[Path, typer.Argument(help="Folder of the results of a run.")],
    item: Annotated[str | None, typer.Option(help="The slide: its item id, external id or name.")] = None,
) -> None:
    """Show the results of a run in QuPath; its project is made or brought up to date first."""
    from launchpad.qupath import service

    with progress_bar("QuPath project") as progress:
        opened = service.open_run(run_folder, item, progress=progress)
    for note in opened.notes:
        warn(note)
    if opened.report is not None:
        say(f"{opened.project}: {opened.report.words()}.")
    say(f"QuPath runs with process id {opened.pid}.")


@app.command("project")
def make_project(
    run_folder: Annotated[Path, typer.Argument(help="Folder of the results of a run.")],
    script: Annotated[
        bool, typer.Option("--script", help="Leave data.qpdata out; QuPath imports the objects by a script.")
    ] = False,
    packed: Annotated[bool, typer.Option("--gz", help="Compress the GeoJSON copies.")] = False,
) -> None:
    """Make or bring up to date the project of a run, without starting QuPath."""
    from launchpad.application.run_folder import load
    from launchpad.qupath import service
    from launchpad.qupath.from_run import FOLDER, How, add_run

    service.refuse_open(run_folder / FOLDER)
    how = How(script=script or service.how_for(None).script, packed=packed)
    with progress_bar("QuPath project") as progress:
        report = add_run(run_folder, load(run_folder), progress=progress, how=how)
    for problem in report.problems:
        complain(problem)
    say(f"{report.project}: {report.words()}.")


@app.command()
def processes(
    as_json: Annotated[bool, typer.Option("-j", help="As JSON.")] = False,
    output_format: _Format = Format.TEXT,
) -> None:
    """List the QuPath processes of this account."""
    from launchpad.qupath.service import Service

    found = Service.get_qupath_processes()
    if as_json or output_format is Format.JSON:
        print_json([{"pid": item.pid, "exe": item.exe, "cwd": item.cwd, "args": list(item.args)} for item in found])
        return
    for item in found:
        say(f"{item.pid:>8}  {item.exe}  {item.cwd}  {' '.join(item.args[1:])}")
    if not found:
        say("QuPath is not running.")


@app.command()
def terminate() -> None:
    """End the QuPath processes of this account."""
    from launchpad.qupath.service import Service

    count = Service.terminate_qupath_processes()
    if not count:
        raise NotFound("QuPath is not running", advice="There is nothing to end.")
    say(f"Ended {count} QuPath process(es).")


@app.command()
def add(
    project: _Project,
    path: Annotated[list[Path], typer.Argument(help="Slides, or folders with slides.", callback=many)],
) -> None:
    """Add slides to a project, which is made when it is missing."""
    from launchpad.qupath import service
    from launchpad.qupath.images import add_images

    service.refuse_open(project)
    with progress_bar("Slides") as progress:
        report = add_images(project, path, progress=progress)
    for problem in report.problems:
        complain(problem)
    say(f"Added {len(report.added)} image(s) to {project}; {len(report.unchanged)} were there.")
    if report.problems and not report.added and not report.unchanged:
        raise BadInput("No slide could be added", advice="The lines above say why.", subject=str(project))


@app.command()
def annotate(
    project: _Project,
    image: Annotated[Path, typer.Argument(help="A slide file, or the name of an image of the project.")],
    annotations: Annotated[Path, typer.Argument(help="GeoJSON in pixels of the slide's full resolution.")],
) -> None:
    """Put the objects of a GeoJSON file on an image, which is added when it is missing."""
    from launchpad.qupath import service
    from launchpad.qupath.images import annotate_image

    service.refuse_open(project)
    if not annotations.is_file():
        raise NotFound("There is no such GeoJSON file", advice="Check the path.", subject=str(annotations))
    with progress_bar("Objects", unit="objects") as progress:
        tally = annotate_image(project, image, annotations, progress=progress)
    if tally.words():
        complain(tally.words())
    say(f"Added {tally.written} object(s) to {image.name}.")


@app.command()
def inspect(project: _Project, output_format: _Format = Format.JSON) -> None:
    """Print what a project holds, as JSON."""
    from launchpad.qupath import service

    print_json(service.plain(service.Service.inspect(project)))


@app.command("run-script")
def run_script(
    script: Annotated[Path, typer.Argument(help="A Groovy script.")],
    project: Annotated[Path | None, typer.Option("--project", "-p", help="Folder of a project.")] = None,
    image: Annotated[str | None, typer.Option("--image", "-i", help="Name of an image, or a slide file.")] = None,
    args: Annotated[list[str] | None, typer.Option("--args", "-a", help="An argument; may be repeated.")] = None,
    save: Annotated[bool, typer.Option("--save", "-s", help="Keep what the script changes in the project.")] = False,
) -> int:
    """Run a Groovy script in QuPath without a window."""
    from launchpad.qupath import starting

    if not script.is_file():
        raise NotFound("There is no such script", advice="Check the path.", subject=str(script))
    code = starting.run_script(
        _chosen(), script, project=project, image=image, arguments=args or [], save=save, output=sys.stdout
    )
    if code:
        complain(f"The script ended with {code}.")
    return 1 if code else 0


@app.command("list")
def list_installations(output_format: _Format = Format.TEXT) -> None:
    """List the versions of QuPath that are found; the first one is used."""
    from launchpad.qupath import installation

    found = installation.find()
    if output_format is Format.JSON:
        rows = [{"version": item.version, "executable": str(item.executable), "ours": item.ours} for item in found]
        print_json(rows)
        return
    for item in found:
        say(f"{item.version or 'unknown version'}  {item.executable}{'  (by Launchpad)' if item.ours else ''}")
    if not found:
        say("QuPath is not installed. `launchpad qupath install` installs it.")


def _chosen() -> Installation:
    from launchpad.qupath import installation

    return installation.best()
