"""What those who run a platform can set: `platform.toml` in its data folder. One's own computer needs none.

items_per_run = 500
retention_days = 30
callback_hosts = ["hooks.example.org"]
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from launchpad.errors import SettingsError
from launchpad.localplatform.guarded import is_named, parse

FILE = "platform.toml"
_Limit = Annotated[int | None, Field(ge=1)]
_Hosts = Annotated[tuple[str, ...], Field()]


class PlatformSettings(BaseModel):
    """The limits and rules of one platform; None is without a limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    items_per_run: _Limit = None
    """Slides of one run; an institute takes 500."""
    slides_per_month_organization: _Limit = None
    """Slides that an organization may submit in a calendar month (UTC)."""
    slides_per_month_user: _Limit = None
    parallel_runs: _Limit = None
    """Runs of one user that have not ended."""
    retention_days: _Limit = None
    """Days that results (after the end of their run) and uploads are kept; None is until somebody deletes them."""
    store_max_bytes: _Limit = None
    """Bytes that the object store keeps; files that were handed over by reference do not count."""
    error_threshold: float | None = Field(default=0.5, gt=0)
    """More errors than this end a run: below 1 a share of its items, from 1 on a number of them; None never."""
    error_minimum: int = Field(default=10, ge=1)
    """Errors that a run may have in any case before a share of its items ends it."""
    system_attempts: int = Field(default=3, ge=1, le=20)
    """Times that an item is begun before an error of the system is its end."""
    workers: int | None = Field(default=None, ge=1, le=64)
    """Slides that are analysed at once; None goes by the processors."""
    input_max_bytes: int = Field(default=200 << 30, ge=1)
    """Bytes of one slide that is fetched from a URL."""
    input_private_hosts: _Hosts = ()
    """Hosts (`name` or `name:port`) inside this network that slides may be fetched from; our own store always is."""
    callback_hosts: _Hosts = ()
    """Hosts (`name` or `name:port`) that callbacks are sent to; none by default, one inside this network when named."""
    callback_url: str | None = Field(default=None, pattern=r"^https?://[^\s/]+")
    """Where callbacks of runs go whose context names no `callback_url`."""
    port: int = Field(default=0, ge=0, le=65_535)
    """Port of the API; 0 takes the one of the last start, or a free one. `--port` goes first."""
    store_port: int = Field(default=0, ge=0, le=65_535)
    """Port of the object store, likewise."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    failed_logins_per_minute: int = Field(default=20, ge=1, le=10_000)
    """Requests to a sign-in address that may be refused in a minute, before that address answers 429."""
    request_max_bytes: int = Field(default=64 << 20, ge=1 << 16, le=1 << 30)
    """Bytes of the body of a request to the API."""
    header_seconds: float = Field(default=10.0, gt=0, le=600)
    """Time for the whole head of a request."""
    body_seconds: float = Field(default=60.0, gt=0, le=3600)
    """Time for the whole body of a request to the API; the object store has its own, between bytes."""

    @model_validator(mode="after")
    def _callbacks_go_where_they_may(self) -> Self:
        if self.callback_url is not None and not is_named(parse(self.callback_url), self.callback_hosts):
            raise ValueError("callback_url: its host is not among callback_hosts")
        return self

    @classmethod
    def load(cls, data_folder: Path) -> Self:
        """Read `platform.toml` of a data folder; without that file everything is as it comes.

        Raises:
            SettingsError: the file cannot be read, or a value is not valid; names it and the reason.
        """
        file = data_folder / FILE
        try:
            text = file.read_text(encoding="utf-8-sig")
            values = tomllib.loads(text)
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise SettingsError(
                "The platform's settings cannot be read", detail=f"{error}.", advice="Correct it.", subject=str(file)
            ) from error
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(
                "The platform's settings are not valid",
                detail="; ".join(_reason(cls, text, item["loc"], item["type"], item["msg"]) for item in error.errors())
                + ".",
                advice="Correct them, then start the platform again.",
                subject=str(file),
            ) from None


def _reason(settings: type[PlatformSettings], text: str, place: tuple[int | str, ...], kind: str, words: str) -> str:
    """What is wrong with one value, with its line, and the name that may have been meant."""
    name = str(place[0]) if place else ""
    written = re.compile(rf"""\s*\[*\s*["']?{re.escape(name)}["']?\s*[=.\]]""")
    line = next((number for number, row in enumerate(text.splitlines(), 1) if written.match(row)), None)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(name, settings.model_fields, 1)
        words = f"there is no such setting{f'; did you mean {near[0]}?' if near else ''}"
    return f"{f'line {line}, ' if line else ''}{'.'.join(map(str, place))}: {words}"
