"""Writing callbacks down, in the transaction of the change that they tell of: a crash loses none, and invents none.

A run asks for them by a `callback_context`; they go to its `callback_url`, or to the platform's. The body:

    {"delivery_id": …, "event": "run.started" | "run.ended" | "item.started" | "item.ended", "sent_for": time of the
     change, "run": {"run_id", "application_id", "version_number", "state", "termination_reason", "error_code",
     "error_message"}, "item": null | {"item_id", "external_id", "state", "termination_reason", "error_code",
     "error_message"}, "callback_context": as it was submitted}
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from launchpad.errors import LaunchpadError
from launchpad.localplatform.database.engine import now
from launchpad.localplatform.database.tables import CallbackRow, ItemRow, RunRow
from launchpad.localplatform.guarded import is_named, parse
from launchpad.localplatform.settings import PlatformSettings

URL = "callback_url"
_MOST_CHARACTERS = 2083


def refusal(context: Mapping[str, Any] | None, settings: PlatformSettings) -> str | None:
    """Why a run's `callback_context` cannot be taken, None when it can."""
    if context is None or URL not in context:
        return None
    url = context[URL]
    if not isinstance(url, str) or len(url) > _MOST_CHARACTERS:
        return "must be an http or https URL"
    try:
        parts = parse(url)
    except LaunchpadError as error:
        return str(error)
    if not is_named(parts, settings.callback_hosts):
        return "this platform sends no callbacks to this host"
    return None


def address(context: Mapping[str, Any] | None, settings: PlatformSettings) -> str | None:
    """Where a run's callbacks go, None where it gets none."""
    if context is None:
        return None
    url = context.get(URL, settings.callback_url)
    return url if isinstance(url, str) else None


def write(session: Session, run: RunRow, event: str, item: ItemRow | None) -> None:
    """Write down that something happened to a run, or to an item of it."""
    if run.callback_url is None:
        return
    delivery = str(uuid.uuid4())
    body = {
        "delivery_id": delivery,
        "event": event,
        "sent_for": now(),
        "run": {"run_id": run.id, "application_id": run.application_id, "version_number": run.version_number}
        | _state(run),
        "item": None if item is None else {"item_id": item.id, "external_id": item.external_id} | _state(item),
        "callback_context": run.callback_context,
    }
    session.add(
        CallbackRow(
            delivery=delivery,
            run_id=run.id,
            event=event,
            url=run.callback_url,
            body=json.dumps(body, ensure_ascii=False),
            created=time.time(),
            attempts=0,
            due=time.time(),
        )
    )


def _state(row: RunRow | ItemRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("state", "termination_reason", "error_code", "error_message")}
