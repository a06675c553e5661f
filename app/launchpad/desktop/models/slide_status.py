"""How a slide stands in the slide table, in keys of the tokens and names of icons."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """How a slide stands: `token` is a key of the tokens' states, `icon` a Lucide name."""

    key: str
    token: str
    icon: str


READY = Status("ready", "done", "circle-check")
SET_MPP = Status("set_mpp", "partial", "circle-alert")
INCOMPLETE = Status("incomplete", "failed", "circle-x")
UNREADABLE = Status("unreadable", "failed", "circle-x")
LEFT_OUT = Status("left_out", "cancelled", "ban")
