"""`launchpad mcp`: read-only tools for programs with language models."""

from __future__ import annotations

from typing import Annotated

import typer

from launchpad.cli.output import Format, print_json, say

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Read-only tools for programs with language models (MCP)."""


@app.command()
def run() -> None:
    """Serve the tools on standard input and output, until the other side closes it."""
    from launchpad.mcp.server import serve

    serve()


@app.command("list-tools")
def list_tools(
    output_format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TEXT,
) -> None:
    """List the tools, each with what it does."""
    from launchpad.mcp.tools import TOOLS

    found = [{"name": tool.__name__, "description": (tool.__doc__ or "").strip().splitlines()[0]} for tool in TOOLS]
    if output_format is Format.JSON:
        print_json(found)
        return
    width = max(len(tool["name"]) for tool in found)
    say(f"{'Name':<{width}}  Description")
    for tool in found:
        say(f"{tool['name']:<{width}}  {tool['description']}")
