"""`launchpad system config`: variables in the person's own file."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from launchpad.cli.output import Format, print_json, say, warn
from launchpad.errors import NotFound

app = typer.Typer(no_args_is_help=True, help="Settings in a file of variables of your own.")
_Key = Annotated[str, typer.Argument(help="Name of the variable, for example LAUNCHPAD_LOG_LEVEL.")]


@app.callback()
def config() -> None:
    """Settings in a file of variables of your own."""


@app.command("get")
def get_value(
    key: _Key, output_format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TEXT
) -> None:
    """Print the value of a variable: of the environment, else of the file. Exits 2 when it is not set."""
    from launchpad.system import dotenv_file

    value = dotenv_file.get(key)
    if value is None:
        raise NotFound(
            "The variable is not set", advice="Set it by `launchpad system config set`.", subject=key.upper()
        )
    if output_format is Format.JSON:
        print_json({"key": key.upper(), "value": value})
        return
    say(value)


@app.command("set")
def set_value(key: _Key, value: Annotated[str, typer.Argument(help="Its value.")]) -> None:
    """Set a variable in the file, which is made where it is missing."""
    from launchpad.errors import SettingsError
    from launchpad.settings import load_settings
    from launchpad.system import dotenv_file

    before = dotenv_file.file().read_bytes() if dotenv_file.file().is_file() else None
    dotenv_file.put(key, value)
    try:
        load_settings()
    except SettingsError:
        # A value that no command would start with is not kept.
        if before is None:
            dotenv_file.file().unlink()
        else:
            from launchpad.paths import write_private

            write_private(dotenv_file.file(), before)
        raise
    say(f"Set {key.upper()} in {dotenv_file.file()}")


@app.command("unset")
def unset_value(key: _Key) -> None:
    """Take a variable out of the file. Exits 2 when it is not there."""
    from launchpad.system import dotenv_file

    if not dotenv_file.unset(key):
        raise NotFound("The file has no such variable", advice=f"See {dotenv_file.file()}.", subject=key.upper())
    say(f"Removed {key.upper()} from {dotenv_file.file()}")


@app.command("remote-diagnostics-enable")
def remote_diagnostics_enable() -> None:
    """Nothing: Launchpad reports to nobody."""
    warn("Launchpad has no remote diagnostics: it reports to nobody. `launchpad system info` collects what helps.")


@app.command("remote-diagnostics-disable")
def remote_diagnostics_disable() -> None:
    """Nothing: Launchpad reports to nobody."""
    warn("Launchpad has no remote diagnostics: there is nothing to disable.")


@app.command("http-proxy-enable")
def http_proxy_enable(
    host: Annotated[str, typer.Option(help="Name or address of the proxy.")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Its port.")] = 8080,
    scheme: Annotated[Literal["http", "https"], typer.Option(help="How to talk to it.")] = "http",
    ssl_cert_file: Annotated[str | None, typer.Option(help="Certificates to trust, PEM.")] = None,
    no_ssl_verify: Annotated[bool, typer.Option(help="Verify no certificates. Unsafe.")] = False,
) -> None:
    """Use a proxy from now on."""
    from launchpad.system import dotenv_file

    dotenv_file.set_proxy(host, port, scheme, ssl_cert_file, no_ssl_verify=no_ssl_verify)
    if no_ssl_verify:
        warn("Launchpad verifies certificates all the same; SSL_NO_VERIFY is written for other programs.")
    say(f"Using the proxy {scheme}://{host}:{port}")


@app.command("http-proxy-disable")
def http_proxy_disable() -> None:
    """Use the proxy no more."""
    from launchpad.system import dotenv_file

    dotenv_file.remove_proxy()
    say("Using no proxy of the file any more.")
