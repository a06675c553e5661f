"""The issuer's tables. Codes and refresh tokens are kept as hashes only; times are as in `database.tables`."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from launchpad.localplatform.database.tables import Base


class IssuerSessionRow(Base):
    """A sign-in: all tokens that came from one consent. Revoked, none of them opens anything any more."""

    __tablename__ = "issuer_session"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    client_id: Mapped[str] = mapped_column(String)
    scope: Mapped[str] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String)
    """browser, device, or lasting: one refresh token that is not replaced, for clients that cannot keep a new one."""
    created: Mapped[str] = mapped_column(String)
    expires: Mapped[str] = mapped_column(String, index=True)
    revoked: Mapped[str | None] = mapped_column(String)


class IssuerCodeRow(Base):
    """An authorization code; `session_id` once it was used."""

    __tablename__ = "issuer_code"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(String)
    redirect_uri: Mapped[str] = mapped_column(String)
    challenge: Mapped[str] = mapped_column(String)
    nonce: Mapped[str] = mapped_column(String)
    scope: Mapped[str] = mapped_column(String)
    expires: Mapped[str] = mapped_column(String)
    used: Mapped[str | None] = mapped_column(String)
    session_id: Mapped[str | None] = mapped_column(String(36))


class IssuerRefreshRow(Base):
    """A refresh token; one that was `used` and comes again ends its session."""

    __tablename__ = "issuer_refresh"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("issuer_session.id"), index=True)
    created: Mapped[str] = mapped_column(String)
    used: Mapped[str | None] = mapped_column(String)


class IssuerDeviceRow(Base):
    """A device that waits for a person (RFC 8628)."""

    __tablename__ = "issuer_device"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[str] = mapped_column(String)
    scope: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    """pending, approved, denied or used."""
    interval: Mapped[int] = mapped_column(Integer)
    polled: Mapped[str | None] = mapped_column(String)
    expires: Mapped[str] = mapped_column(String)
