"""Grants: what a client may exchange for tokens, and the sign-ins that come from it. The database keeps hashes only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from launchpad.localplatform.database.engine import Database, now, stamp
from launchpad.localplatform.identity.tables import IssuerCodeRow, IssuerDeviceRow, IssuerRefreshRow, IssuerSessionRow
from launchpad.localplatform.identity.tokens import LIFE, Identity

CODE_LIFE = 60  # seconds
DEVICE_LIFE = 600
DEVICE_INTERVAL = 5
SLOWER = 5  # seconds that slow_down adds, for good
SESSION_LIFE = timedelta(days=30)  # since its last use
LASTING_LIFE = timedelta(days=365)  # since its last use, too
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # without vowels no words, and none that is taken for a digit
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


class GrantError(Exception):
    """A refusal as OAuth words it (RFC 6749 section 5.2)."""

    def __init__(self, code: str, words: str, status: int = 400) -> None:
        super().__init__(code, words)
        self.code = code
        self.words = words
        self.status = status


@dataclass(frozen=True)
class Asked:
    """What a client asked for at the authorization endpoint."""

    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str
    scope: str


@dataclass(frozen=True)
class Device:
    """The codes of a device that waits."""

    device_code: str
    user_code: str


def letters(count: int = 8) -> str:
    """A code that a person can read out and type."""
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def tidy(code: str) -> str:
    """A typed code without what people add to it."""
    return re.sub(r"[^A-Z]", "", code.upper())


class Grants:
    """The grants of one issuer. Thread-safe. `device_interval` is in seconds."""

    def __init__(self, database: Database, identity: Identity, *, device_interval: int = DEVICE_INTERVAL) -> None:
        self._database = database
        self._identity = identity
        self.device_interval = device_interval
        with database.reading() as session:
            ended = _ago(timedelta(seconds=LIFE))
            rows = session.scalars(select(IssuerSessionRow.id).where(IssuerSessionRow.revoked > ended))
            identity.revoked.update(rows)

    # --- authorization code ------------------------------------------------------------------------------------------
    def new_code(self, asked: Asked) -> str:
        """An authorization code for what a person, or the launch secret, agreed to."""
        code = secrets.token_urlsafe(32)
        with self._database.writing() as session:
            _sweep(session)
            session.add(
                IssuerCodeRow(
                    hash=_hash(code),
                    client_id=asked.client_id,
                    redirect_uri=asked.redirect_uri,
                    challenge=asked.challenge,
                    nonce=asked.nonce,
                    scope=asked.scope,
                    expires=_ahead(timedelta(seconds=CODE_LIFE)),
                )
            )
        return code

    def redeem_code(self, code: str, *, client_id: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """Tokens for a code, once. One that comes a second time ends the sign-in of the first (RFC 6749 4.1.2)."""
        with self._database.writing() as session:
            row = session.get(IssuerCodeRow, _hash(code))
            again = row is not None and row.used is not None
            if row is not None and again and row.session_id:
                self._revoke(session, row.session_id)
            fits = (
                row is not None
                and not again
                and row.expires > now()
                and hmac.compare_digest(row.client_id, client_id)
                and hmac.compare_digest(row.redirect_uri.encode(), redirect_uri.encode())
                and bool(_VERIFIER.fullmatch(verifier))
                and hmac.compare_digest(row.challenge, _challenge(verifier))
            )
            if row is not None and not again:
                row.used = now()  # also a wrong try uses it up
            if row is not None and fits:
                own = _new_session(session, row.client_id, row.scope, "browser", SESSION_LIFE)
                row.session_id = own.id
                return self._answer(session, own, row.nonce)
        raise GrantError("invalid_grant", "The code is not valid, was used already, or is not for this request.")

    # --- refresh token -----------------------------------------------------------------------------------------------
    def refresh(self, token: str, *, client_id: str, scope: str = "") -> dict[str, Any]:
        """New tokens for a refresh token, which is replaced; an old one that comes again ends the sign-in.

        That of a lasting sign-in is not replaced.
        """
        with self._database.writing() as session:
            row = session.get(IssuerRefreshRow, _hash(token))
            own = session.get(IssuerSessionRow, row.session_id) if row is not None else None
            if row is not None and own is not None and hmac.compare_digest(own.client_id, client_id):
                if row.used is not None:
                    self._revoke(session, own.id)
                elif own.revoked is None and own.expires > now():
                    granted = own.scope.split()
                    wanted = scope.split() or granted
                    if set(wanted) <= set(granted):
                        if own.kind == "lasting":
                            own.expires = _ahead(LASTING_LIFE)
                            return self._answer(session, own, "", scope=" ".join(wanted), renew=False)
                        row.used = now()
                        own.expires = _ahead(SESSION_LIFE)
                        return self._answer(session, own, "", scope=" ".join(wanted))
                    raise GrantError("invalid_scope", "More was asked for than was granted.")
        raise GrantError("invalid_grant", "The refresh token is not valid any more. Sign in again.")

    def lasting(self, client_id: str, scope: str) -> dict[str, Any]:
        """Tokens of a sign-in whose refresh token stays the same, for clients that cannot keep a new one."""
        with self._database.writing() as session:
            _sweep(session)
            return self._answer(session, _new_session(session, client_id, scope, "lasting", LASTING_LIFE), "")

    # --- device code -------------------------------------------------------------------------------------------------
    def new_device(self, client_id: str, scope: str) -> Device:
        """Codes for a device without a browser (RFC 8628)."""
        device = Device(secrets.token_urlsafe(32), letters())
        with self._database.writing() as session:
            _sweep(session)
            session.add(
                IssuerDeviceRow(
                    hash=_hash(device.device_code),
                    user_code_hash=_hash(device.user_code),
                    client_id=client_id,
                    scope=scope,
                    state="pending",
                    interval=self.device_interval,
                    expires=_ahead(timedelta(seconds=DEVICE_LIFE)),
                )
            )
        return device

    def answer_device(self, user_code: str, *, approve: bool) -> bool:
        """A person agreed, or not; False when no device waits under this code."""
        with self._database.writing() as session:
            row = session.scalars(
                select(IssuerDeviceRow).where(IssuerDeviceRow.user_code_hash == _hash(tidy(user_code)))
            ).first()
            if row is None or row.state != "pending" or row.expires <= now():
                return False
            row.state = "approved" if approve else "denied"
            return True

    def redeem_device(self, device_code: str, *, client_id: str) -> dict[str, Any]:
        """Tokens for a device whose person agreed; otherwise a GrantError as RFC 8628 section 3.5 words it."""
        refusal = GrantError("invalid_grant", "The device code is not valid.")
        with self._database.writing() as session:
            row = session.get(IssuerDeviceRow, _hash(device_code))
            if row is not None and hmac.compare_digest(row.client_id, client_id) and row.state != "used":
                early = row.polled is not None and row.polled > _ago(timedelta(seconds=row.interval))
                row.polled = now()
                if row.expires <= now():
                    refusal = GrantError("expired_token", "The code has expired. Begin again.")
                elif row.state == "denied":
                    refusal = GrantError("access_denied", "The person refused.")
                elif row.state == "approved":
                    row.state = "used"
                    return self._answer(
                        session, _new_session(session, row.client_id, row.scope, "device", SESSION_LIFE), ""
                    )
                elif early:
                    row.interval += SLOWER
                    refusal = GrantError("slow_down", f"Ask every {row.interval} seconds.")
                else:
                    refusal = GrantError("authorization_pending", "The person has not answered yet.")
        raise refusal

    # --- the end -----------------------------------------------------------------------------------------------------
    def revoke(self, token: str, *, client_id: str) -> None:
        """End the sign-in of a refresh or access token (RFC 7009); an unknown one is no error."""
        import jwt

        try:
            session_id = str(self._identity.claims(token).get("sid", ""))
        except jwt.InvalidTokenError:
            session_id = ""
        with self._database.writing() as session:
            row = session.get(IssuerRefreshRow, _hash(token))
            own = session.get(IssuerSessionRow, row.session_id if row is not None else session_id)
            if own is not None and hmac.compare_digest(own.client_id, client_id):
                self._revoke(session, own.id)

    def _revoke(self, session: Session, session_id: str) -> None:
        own = session.get(IssuerSessionRow, session_id)
        if own is not None and own.revoked is None:
            own.revoked = now()
        self._identity.revoked.add(session_id)

    def _answer(
        self, session: Session, own: IssuerSessionRow, nonce: str, *, scope: str = "", renew: bool = True
    ) -> dict[str, Any]:
        scope = scope or own.scope
        access = self._identity.issue(client_id=own.client_id, scope=scope, session_id=own.id)
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": LIFE,
            "scope": scope,
        }
        if "openid" in scope.split():
            answer["id_token"] = self._identity.issue_id(
                client_id=own.client_id, scope=scope, nonce=nonce, access_token=access
            )
        if "offline_access" in own.scope.split() and renew:
            token = secrets.token_urlsafe(48)
            session.add(IssuerRefreshRow(hash=_hash(token), session_id=own.id, created=now()))
            answer["refresh_token"] = token
        return answer


def _new_session(session: Session, client_id: str, scope: str, kind: str, life: timedelta) -> IssuerSessionRow:
    row = IssuerSessionRow(
        id=str(uuid.uuid4()), client_id=client_id, scope=scope, kind=kind, created=now(), expires=_ahead(life)
    )
    session.add(row)
    session.flush()
    return row


def _sweep(session: Session) -> None:
    """Forget what has ended long enough ago that nobody needs to be told why."""
    day = _ago(timedelta(days=1))
    session.execute(delete(IssuerCodeRow).where(IssuerCodeRow.expires < day))
    session.execute(delete(IssuerDeviceRow).where(IssuerDeviceRow.expires < day))
    ended = select(IssuerSessionRow.id).where(IssuerSessionRow.expires < day)
    session.execute(delete(IssuerRefreshRow).where(IssuerRefreshRow.session_id.in_(ended)))
    session.execute(delete(IssuerSessionRow).where(IssuerSessionRow.expires < day))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _ahead(span: timedelta) -> str:
    return stamp(datetime.now(UTC) + span)


def _ago(span: timedelta) -> str:
    return stamp(datetime.now(UTC) - span)
