"""Ids as arguments, and what the shell offers for them: those that commands printed lately, so that a Tab is quick."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from launchpad.platform.auth.profiles import Profile

_OFFERED = 20


def keep(kind: Literal["application", "run"], profile: Profile, ids: Iterable[str]) -> None:
    """Remember ids that were printed, for the next Tab; the first one is offered first."""
    from launchpad.application.recent import remember

    known = list(ids)[:_OFFERED]
    remember(kind, [f"{profile.name} {one}" for one in reversed(known)])


def applications(incomplete: str) -> list[str]:
    """Ids of applications that were listed."""
    return _kept("application", incomplete)


def runs(incomplete: str) -> list[str]:
    """Ids of runs that were listed or submitted, the latest first."""
    return _kept("run", incomplete)


def _kept(kind: Literal["application", "run"], incomplete: str) -> list[str]:
    from launchpad import paths
    from launchpad.application.recent import recent
    from launchpad.errors import LaunchpadError
    from launchpad.platform.auth.profiles import select_profile

    if not paths.state_file().is_file():
        return []
    try:
        start = f"{select_profile().name} "
        kept = recent(kind, 50)
    except LaunchpadError:  # a Tab is no place for it: the command itself says what is wrong
        return []
    ids = (value.removeprefix(start) for value in kept if value.startswith(start))
    return [one for one in ids if one.startswith(incomplete)][:_OFFERED]


ApplicationId = Annotated[
    str, typer.Argument(help="Id of the application, for example he-tme.", autocompletion=applications)
]
RunId = Annotated[str, typer.Argument(help="Id of the run.", autocompletion=runs)]
