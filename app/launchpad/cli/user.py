"""`launchpad user`: who is signed in."""

from __future__ import annotations

import typer

from launchpad.cli.output import print_json

app = typer.Typer(no_args_is_help=True, help="Who is signed in.")


@app.command()
def token() -> None:
    """Print a bearer token for the platform. It opens all that is yours there: keep it to yourself."""
    from launchpad.platform.client import Client

    with Client() as client:
        typer.echo(client.token())


@app.command()
def whoami() -> None:
    """Print who is signed in; secrets are masked."""
    from launchpad.platform.client import Client

    with Client() as client:
        document = client.me(nocache=True).model_dump(mode="json")
    for name in document["organization"]:
        if name.endswith(("secret_access_key", "token", "dsn")):
            document["organization"][name] = "***"
    print_json({**document, "profile": client.profile.name})
