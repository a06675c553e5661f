"""`launchpad profile`: the platforms that one talks to."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launchpad.cli.output import Format, print_json, say, warn

if TYPE_CHECKING:
    from launchpad.platform.auth.profiles import Profile

app = typer.Typer(no_args_is_help=True, help="The platforms that one talks to.")
_Name = Annotated[str, typer.Argument(help="Name of the profile.")]
_Form = Annotated[Format, typer.Option("--format", help="How to print.")]


@app.command("list")
def list_profiles(
    hidden: Annotated[bool, typer.Option("--all", help="Also the hidden ones.")] = False,
    output_format: _Form = Format.TEXT,
) -> None:
    """List the profiles; the one in use is marked."""
    from launchpad.platform.auth.profiles import all_profiles, select_profile

    used = select_profile()
    found = [item for item in all_profiles() if hidden or not item.hidden or item.name == used.name]
    if used.origin == "settings":
        found.append(used)
    if output_format is Format.JSON:
        print_json([_document(item) | {"in_use": item.name == used.name} for item in found])
        return
    width = max(len(item.name) for item in found)
    for item in found:
        mark = "*" if item.name == used.name else " "
        say(f"{mark} {item.name:<{width}}  {item.title}{f'  {item.api_root}' if item.api_root else ''}")


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="Name of the profile; default: the one in use.")] = None,
    output_format: _Form = Format.TEXT,
) -> None:
    """Show a profile, and whether somebody is signed in by it."""
    profile = _profile(name)
    document = _document(profile) | {"signed_in": _signed_in(profile)}
    if output_format is Format.JSON:
        print_json(document)
        return
    for key, value in document.items():
        words = ", ".join(value) if isinstance(value, (list, tuple)) else value
        if isinstance(value, dict):
            words = ", ".join(f"{part}: {text}" for part, text in value.items() if text)
        if words:
            say(f"{key.replace('_', ' ')}: {words}")


@app.command()
def add(
    name: _Name,
    api_root: Annotated[str, typer.Option(help="Address of the platform, like https://platform.example.org.")],
    issuer: Annotated[str, typer.Option(help="Address of its identity provider (OpenID Connect).")],
    client_id: Annotated[str, typer.Option(help="The client that Launchpad is there.")],
    audience: Annotated[str, typer.Option(help="The audience of the platform's tokens.")],
    storage_endpoint: Annotated[str, typer.Option(help="Address of its object store.")] = "",
    title: Annotated[str, typer.Option(help="The name that is shown.")] = "",
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where the browser may come back to; several are tried in turn.")
    ] = None,
    device_client_id: Annotated[str, typer.Option(help="The client of sign-ins by a code, where it is another.")] = "",
    scope: Annotated[str, typer.Option(help="What is asked for.")] = "",
    organization: Annotated[str, typer.Option(help="The organization to sign in to.")] = "",
    console: Annotated[str, typer.Option(help="Address of its web console.")] = "",
    documentation: Annotated[str, typer.Option(help="Address of its documentation.")] = "",
    support: Annotated[str, typer.Option(help="Address of its support.")] = "",
    status: Annotated[str, typer.Option(help="Address of its status page.")] = "",
    check: Annotated[bool, typer.Option(help="Ask the issuer for its addresses now.")] = True,
) -> None:
    """Add a platform, or change one that was added."""
    from launchpad.platform.auth import profile_file
    from launchpad.platform.auth.oauth import provider_of
    from launchpad.platform.auth.profiles import GOOGLE_STORAGE, Links, Profile

    profile = Profile(
        name=name,
        title=title or api_root,
        kind="remote",
        api_root=api_root.rstrip("/"),
        issuer=f"{issuer.rstrip('/')}/",
        client_id=client_id,
        audience=audience,
        storage_endpoint=(storage_endpoint or GOOGLE_STORAGE).rstrip("/"),
        links=Links(console or None, documentation or None, support or None, status or None),
        device_client_id=device_client_id,
        organization=organization,
    )
    if redirect_uri:
        profile = replace(profile, redirect_uris=tuple(redirect_uri))
    if scope:
        profile = replace(profile, scope=scope.replace(",", " "))
    if check:
        provider_of(profile)
    profile_file.add(profile)
    say(f"The profile “{name}” is there. Use it by `launchpad profile use {name}`.")


@app.command()
def use(name: _Name) -> None:
    """Use a platform from now on, unless the settings or `--profile` name another."""
    from launchpad.platform.auth import profile_file
    from launchpad.platform.auth.profiles import select_profile

    profile = profile_file.use(name)
    say(f"Launchpad now talks to {profile.title}.")
    used = select_profile()
    if used.identity != profile.identity:
        warn(f"The settings of this terminal name another platform, though: {used.title}.")


@app.command()
def remove(name: _Name) -> None:
    """Forget a platform that was added, and sign out of it."""
    from launchpad.platform.auth import profile_file
    from launchpad.platform.auth.sign_in import sign_out

    profile = profile_file.remove(name)
    _, problem = sign_out(profile)
    if problem is not None:
        warn(f"The sign-in was removed here, but could not be revoked: {problem}")
    say(f"The profile “{name}” is gone.")


@app.command("test")
def try_profile(
    name: Annotated[str | None, typer.Argument(help="Name of the profile; default: the one in use.")] = None,
    output_format: _Form = Format.TEXT,
) -> None:
    """Try each part of a platform: address, sign-in, store. Exits 1 when one fails."""
    from launchpad.platform.auth.profile_test import steps

    failed, found = False, []
    for step in steps(_profile(name)):
        failed |= step.error is not None
        found.append({"step": step.name, "ok": step.error is None, "words": str(step.error or step.words)})
        if output_format is Format.TEXT:
            say(f"{'failed' if step.error else 'ok':<6}  {step.name}: {step.error or step.words}")
    if output_format is Format.JSON:
        print_json(found)
    if failed:
        raise typer.Exit(1)


def _profile(name: str | None) -> Profile:
    from launchpad.platform.auth.profiles import profile_named, select_profile

    return select_profile() if name is None else profile_named(name)


def _document(profile: Profile) -> dict[str, Any]:
    document = asdict(profile)
    del document["launch_secret"], document["hidden"]
    return document


def _signed_in(profile: Profile) -> str:
    from launchpad.platform.auth.store import TokenStore

    if profile.kind == "embedded":
        return "by the launch secret of this account; nobody has to sign in"
    kept = TokenStore(profile).protection()
    if kept is None:
        return "no"
    return "yes, stored encrypted" if kept.encrypted else f"yes, stored in the clear, as {kept.reason}"
