"""`launchpad user`: signing in and out, and who is signed in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli.output import Format, plain, print_json, say, warn

if TYPE_CHECKING:
    from launchpad.platform.auth.profiles import Profile
    from launchpad.platform.auth.sign_in import SignedIn
    from launchpad.progress import Progress

app = typer.Typer(no_args_is_help=True, help="Sign in and out; who is signed in.")
_Relogin = Annotated[bool, typer.Option(help="Sign in again, also when somebody is signed in.")]


@app.command()
def login(
    relogin: _Relogin = False,
    device: Annotated[
        bool | None, typer.Option("--device/--browser", help="By a code on another device, or by the browser here.")
    ] = None,
) -> None:
    """Sign in to the platform in use."""
    from launchpad.platform.auth.profiles import select_profile

    _signed_in(select_profile(), again=relogin, device=device)
    say("Successfully logged in.")


@app.command()
def logout() -> None:
    """Sign out: the sign-in is revoked and removed. Exits 2 when nobody is signed in."""
    from launchpad.errors import NotFound
    from launchpad.platform.auth.profiles import select_profile
    from launchpad.platform.auth.sign_in import sign_out
    from launchpad.settings import load_settings

    profile = select_profile()
    removed, problem = sign_out(profile)
    if problem is not None:
        warn(f"The sign-in was removed here, but could not be revoked: {problem}")
    if not removed:
        raise NotFound(
            "Nobody is signed in", advice="There is nothing to end: `launchpad profile list`.", subject=profile.title
        )
    say("Successfully logged out.")
    settings = load_settings()
    if settings.token is not None or settings.refresh_token is not None:
        warn("The settings hold a token still (LAUNCHPAD_TOKEN or AIGNOSTICS_REFRESH_TOKEN).")


@app.command()
def token() -> None:
    """Print a bearer token for the platform. It opens all that is yours there: keep it to yourself."""
    from launchpad.platform.client import Client

    with Client() as client:
        typer.echo(client.token())


@app.command()
def whoami(
    mask_secrets: Annotated[bool, typer.Option(help="Hide secrets and the e-mail address.")] = True,
    relogin: _Relogin = False,
    output_format: Annotated[Format, typer.Option("--format", help="It is JSON in any case.")] = Format.JSON,
) -> None:
    """Print who is signed in to what, and how the sign-in is kept."""
    from launchpad.platform.auth.profiles import select_profile
    from launchpad.platform.auth.who import who

    profile = select_profile()
    if relogin:
        _signed_in(profile, again=True, device=None)
    print_json(who(profile, mask_secrets=mask_secrets))


def _signed_in(profile: Profile, *, again: bool, device: bool | None) -> None:
    from launchpad.errors import LaunchpadError
    from launchpad.platform.auth.loopback import PortBusy
    from launchpad.platform.auth.oauth import SignInNeeded
    from launchpad.platform.auth.sign_in import by_browser, has_browser, open_browser
    from launchpad.platform.auth.tokens import token_source
    from launchpad.settings import load_settings

    settings = load_settings()
    if profile.kind == "embedded":
        warn("On this computer nobody has to sign in.")
        return
    if not again:
        try:
            token_source(profile, settings).token()
            return
        except SignInNeeded:
            pass  # that is what this command is for
        except LaunchpadError as error:
            if "stored sign-in" not in error.title:
                raise
            warn(str(error))
    if device is None:
        device = not has_browser()
    try:
        if device:
            result = _by_device(profile, settings.auth_timeout)
        else:
            warn(f"Your browser opens for the sign-in to {profile.title}. Ctrl-C ends the wait.")
            result = by_browser(
                profile, open_browser=open_browser, progress=_progress(), again=again, timeout=settings.auth_timeout
            )
    except PortBusy as error:
        warn(f"{error.title}. {error.detail} The sign-in goes on with a code.")
        result = _by_device(profile, settings.auth_timeout)
    if not result.protection.encrypted:
        warn(f"The sign-in is stored in the clear, readable for this account alone: {result.protection.reason}.")


def _by_device(profile: Profile, timeout: float) -> SignedIn:
    from launchpad.platform.auth.sign_in import by_device, device_code

    code = device_code(profile, timeout)
    warn(f"Open {code.address} on any device and enter the code {plain(code.user_code)}")
    if sys.stderr.isatty():
        import segno

        segno.make(code.complete, micro=False).terminal(out=sys.stderr, compact=True, border=2)
    warn(f"Or open {code.complete}")
    return by_device(profile, code, progress=_progress(), timeout=timeout)


def _progress() -> Progress:
    from launchpad.progress import Progress

    return Progress()
