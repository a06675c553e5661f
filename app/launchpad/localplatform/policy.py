"""Who may do what: one table over all operations, and the one place that looks up how somebody stands to a run.

How one stands to a run: its owner submitted it or was made one by a grant; editors and viewers have a grant to
themselves, to their organization, or to a share token that they show. Items and artifacts are seen with their run, or
by a grant of their own. A role alone opens nobody's runs: an administrator sees what was granted to administrators.
Who may see nothing is told that there is nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from launchpad.localplatform.api.problems import not_found
from launchpad.localplatform.database.engine import now
from launchpad.localplatform.database.tables import GrantRow, ItemRow, OutputRow, RunRow, ShareTokenRow
from launchpad.localplatform.identity.tokens import Caller


class Standing(IntEnum):
    """How somebody stands to a run; a higher one may all that a lower one may."""

    NOBODY = 0
    VIEWER = 1
    EDITOR = 2
    OWNER = 3


@dataclass(frozen=True)
class Rule:
    """What an operation wants: a standing to the run that it names, or only to be signed in (None)."""

    run: Standing | None
    share_token: bool = False
    """Whether a share token counts."""
    role: str | None = None
    """The role that it wants."""
    refusal: int = 403
    """The answer to who sees the run, but may not do that; 404 where the contract has no 403."""


SIGNED_IN = Rule(None)
ADMINISTRATOR = Rule(None, role="admin")
OPERATIONS: Mapping[str, Rule] = MappingProxyType(
    {
        "list_applications": SIGNED_IN,
        "read_application_by_id": SIGNED_IN,
        "application_version_details": SIGNED_IN,
        "list_version_documents": SIGNED_IN,
        "get_version_document": SIGNED_IN,
        "get_version_document_file": SIGNED_IN,
        "get_version_document_content": SIGNED_IN,
        "get_me": SIGNED_IN,
        "create_run": SIGNED_IN,
        "list_runs": SIGNED_IN,  # shows what one may see
        "get_run": Rule(Standing.VIEWER, share_token=True),
        "list_run_items": Rule(Standing.VIEWER, share_token=True),
        "get_item_by_run": Rule(Standing.VIEWER, share_token=True),
        "get_artifact_url": Rule(Standing.VIEWER, share_token=True),
        "put_run_custom_metadata": Rule(Standing.EDITOR),
        "put_item_custom_metadata_by_run": Rule(Standing.EDITOR),
        "cancel_run": Rule(Standing.EDITOR),
        "delete_run_items": Rule(Standing.OWNER, refusal=404),
        "create_grant": Rule(Standing.OWNER),
        "list_grants": SIGNED_IN,  # of what one owns, or made oneself
        "get_grant": SIGNED_IN,
        "revoke_grant": SIGNED_IN,
        "create_share_token": SIGNED_IN,
        "list_share_tokens": SIGNED_IN,  # one's own
        "get_share_token": SIGNED_IN,
        "revoke_share_token": SIGNED_IN,
        # Outside of the contract.
        "quota_me": SIGNED_IN,
        "usage": ADMINISTRATOR,
    }
)
_STANDINGS = {"viewer": Standing.VIEWER, "editor": Standing.EDITOR, "owner": Standing.OWNER}


def secret_hash(secret: str) -> str:
    """What is kept of a share token's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def standing(
    session: Session, run: RunRow, user: Caller, share_token: str | None = None, *, parts: tuple[str, ...] = ()
) -> Standing:
    """How somebody stands to a run; `parts` are ids of an item or artifact of it that may be granted by themselves."""
    if run.submitted_by == user.user_id:
        return Standing.OWNER  # there is no more to be granted
    subjects = [_of(user)]
    if share_token:
        row = _valid_token(session, share_token)
        if row is not None:
            subjects.append(and_(GrantRow.subject_type == "share_token", GrantRow.subject_id == row.id))
    query = select(GrantRow.relation).where(
        GrantRow.resource_id.in_((run.id, *parts)), GrantRow.revoked_at.is_(None), or_(*subjects)
    )
    return max((_STANDINGS[relation] for relation in session.scalars(query)), default=Standing.NOBODY)


def require_run(
    session: Session,
    operation: str,
    run_id: str,
    user: Caller,
    share_token: str | None = None,
    *,
    parts: tuple[str, ...] = (),
) -> tuple[RunRow, Standing]:
    """The run, for somebody who may do this with it.

    Raises:
        HTTPException: 404 when there is none that they may see, the rule's refusal when they may less than it wants.
    """
    rule = OPERATIONS[operation]
    run = session.get(RunRow, run_id)
    if run is None or rule.run is None:
        raise not_found("The run")
    found = standing(session, run, user, share_token if rule.share_token else None, parts=parts)
    if found is Standing.NOBODY:
        raise not_found("The run")
    if found < rule.run:
        raise HTTPException(rule.refusal, "You may see this run, but not do that with it; ask its owner.")
    return run, found


def require_role(operation: str, user: Caller) -> None:
    """Refuse who lacks the role that the operation wants.

    Raises:
        HTTPException: 403.
    """
    rule = OPERATIONS[operation]
    if rule.role is not None and user.role != rule.role:
        raise HTTPException(rule.refusal, "Only an administrator may see that.")


def visible_runs(session: Session, user: Caller) -> ColumnElement[bool]:
    """A condition on runs: those that somebody owns, or was granted.

    The grants are looked up first: where there are none, the runs come out of an index in their order.
    """
    granted = session.scalars(
        select(GrantRow.resource_id).where(GrantRow.resource_type == "run", GrantRow.revoked_at.is_(None), _of(user))
    ).all()
    own = RunRow.submitted_by == user.user_id
    if not granted:
        return own
    # An expression keeps the database from collecting and sorting all of them: it reads the newest first and stops.
    return or_(RunRow.submitted_by.op("||")("") == user.user_id, RunRow.id.in_(granted))


def run_of_resource(session: Session, kind: str, resource_id: str) -> str | None:
    """The id of the run that a run, item or output artifact belongs to, None where there is no such thing."""
    if kind == "run":
        return resource_id if session.get(RunRow, resource_id) is not None else None
    if kind == "output_artifact":
        output = session.get(OutputRow, resource_id)
        kind, resource_id = "item", output.item_id if output is not None else ""
    if kind == "item":
        item = session.get(ItemRow, resource_id)
        return item.run_id if item is not None else None
    return None


def _of(user: Caller) -> ColumnElement[bool]:
    """Grants to a person: by name, or by what they are in their organization."""
    conditions = [
        and_(GrantRow.subject_type == "user", GrantRow.subject_id == user.user_id),
        and_(GrantRow.subject_type == "organization_user", GrantRow.subject_id == user.organization_id),
    ]
    if user.role == "admin":
        conditions.append(
            and_(GrantRow.subject_type == "organization_admin", GrantRow.subject_id == user.organization_id)
        )
    return or_(*conditions)


def _valid_token(session: Session, secret: str) -> ShareTokenRow | None:
    row = session.scalars(select(ShareTokenRow).where(ShareTokenRow.secret_hash == secret_hash(secret))).first()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now()):
        return None
    return row
