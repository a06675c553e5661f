"""Refresh tokens for programs that sign in without a person: long-lived, not replaced when used, kept as hashes."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from launchpad.localplatform.database.engine import Database, now, stamp
from launchpad.localplatform.database.tables import RefreshTokenRow
from launchpad.localplatform.identity.tokens import Caller

UNUSED = timedelta(days=365)  # a token that nobody uses for so long ends


@dataclass(frozen=True)
class Grant:
    """What a refresh token stands for."""

    caller: Caller
    scope: str


class RefreshTokens:
    """The refresh tokens of one platform. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, client_id: str, caller: Caller, scope: str) -> str:
        """A new token; its value is never to be seen again."""
        token = f"lprt_{secrets.token_urlsafe(32)}"
        at = now()
        with self._database.writing() as session:
            session.execute(delete(RefreshTokenRow).where(RefreshTokenRow.used < self._oldest()))
            session.add(
                RefreshTokenRow(
                    hash=_hash(token),
                    client_id=client_id,
                    user_id=caller.user_id,
                    organization_id=caller.organization_id,
                    role=caller.role,
                    scope=scope,
                    created=at,
                    used=at,
                )
            )
        return token

    def use(self, token: str, client_id: str) -> Grant | None:
        """What a token stands for; None when it is not known, ended, or another client's."""
        with self._database.writing() as session:
            row = session.get(RefreshTokenRow, _hash(token))
            if row is None or row.client_id != client_id or row.used < self._oldest():
                return None
            row.used = now()
            return Grant(Caller(row.user_id, row.organization_id, row.role), row.scope)

    def revoke(self, token: str | None = None) -> int:
        """End a token, or all of them; how many there were."""
        ended = delete(RefreshTokenRow)
        if token is not None:
            ended = ended.where(RefreshTokenRow.hash == _hash(token))
        with self._database.writing() as session:
            return int(getattr(session.execute(ended), "rowcount", 0))

    @staticmethod
    def _oldest() -> str:
        return stamp(datetime.now(UTC) - UNUSED)


def _hash(token: str) -> str:
    # 256 random bits: a plain hash cannot be searched through.
    return hashlib.sha256(token.encode()).hexdigest()
