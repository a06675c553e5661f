"""The tables. Times are UTC as ISO text with microseconds, so that they sort; ids are UUID text."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """All tables."""


class InstallationRow(Base):
    """Values that are made once for an installation, for example the bucket's keys."""

    __tablename__ = "installation"

    name: Mapped[str] = mapped_column(String, primary_key=True)
    value: Mapped[str] = mapped_column(String)


class RunRow(Base):
    """A run."""

    __tablename__ = "run"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    application_id: Mapped[str] = mapped_column(String)
    version_number: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    termination_reason: Mapped[str | None] = mapped_column(String)
    error_code: Mapped[str | None] = mapped_column(String)
    error_message: Mapped[str | None] = mapped_column(String)
    custom_metadata: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    callback_context: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    callback_url: Mapped[str | None] = mapped_column(String(2083))
    submitted_at: Mapped[str] = mapped_column(String)
    submitted_by: Mapped[str] = mapped_column(String)
    organization_id: Mapped[str] = mapped_column(String)
    terminated_at: Mapped[str | None] = mapped_column(String)
    due_date: Mapped[str | None] = mapped_column(String)
    deadline: Mapped[str | None] = mapped_column(String)
    items: Mapped[list[ItemRow]] = relationship(back_populates="run", order_by="ItemRow.position")

    __table_args__ = (
        Index("run_submitted", "submitted_at"),
        Index("run_of_user", "submitted_by", "submitted_at"),
        Index("run_of_organization", "organization_id", "submitted_at"),
        Index("run_state", "state"),
    )


class ItemRow(Base):
    """An item: one slide. `lease_until` is wall time in seconds while a worker has it, `claim` is that worker's proof.

    Whoever does not show the claim that stands here does not hold the item any more and changes nothing.
    """

    __tablename__ = "item"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    position: Mapped[int] = mapped_column(Integer)
    external_id: Mapped[str] = mapped_column(String(255))
    custom_metadata: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[str] = mapped_column(String)
    termination_reason: Mapped[str | None] = mapped_column(String)
    error_code: Mapped[str | None] = mapped_column(String)
    error_message: Mapped[str | None] = mapped_column(String)
    terminated_at: Mapped[str | None] = mapped_column(String)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    """Times that it was begun and neither ended nor handed back."""
    lease_until: Mapped[float | None] = mapped_column(Float)
    claim: Mapped[str | None] = mapped_column(String)
    kills: Mapped[int] = mapped_column(Integer, default=0)
    """Worker processes that died on it."""
    failures: Mapped[int] = mapped_column(Integer, default=0)
    """Errors of the system so far."""
    not_before: Mapped[float | None] = mapped_column(Float)
    """Wall time in seconds from which it may be tried again."""
    run: Mapped[RunRow] = relationship(back_populates="items")
    inputs: Mapped[list[InputRow]] = relationship(order_by="InputRow.name")
    outputs: Mapped[list[OutputRow]] = relationship(order_by="OutputRow.name")

    __table_args__ = (
        Index("item_of_run", "run_id", "position"),
        Index("item_state", "state"),
        Index("item_states", "run_id", "state", "termination_reason"),
        Index("item_external", "external_id", "run_id"),
    )


class InputRow(Base):
    """An input artifact of an item."""

    __tablename__ = "input_artifact"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("item.id"), index=True)
    name: Mapped[str] = mapped_column(String)
    download_url: Mapped[str] = mapped_column(String(2083))
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)


class OutputRow(Base):
    """An output artifact of an item; its bytes are the object `object_key`."""

    __tablename__ = "output_artifact"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("item.id"), index=True)
    name: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    termination_reason: Mapped[str | None] = mapped_column(String)
    output: Mapped[str] = mapped_column(String)
    error_code: Mapped[str | None] = mapped_column(String)
    error_message: Mapped[str | None] = mapped_column(String)
    meta: Mapped[dict[str, Any] | None] = mapped_column("metadata", JSON(none_as_null=True))
    object_key: Mapped[str | None] = mapped_column(String)


class ObjectRow(Base):
    """An object of the store: own bytes in `file`, or in several `pieces`, or a file of the user in `reference`."""

    __tablename__ = "object"

    bucket: Mapped[str] = mapped_column(String, primary_key=True)
    key: Mapped[str] = mapped_column(String, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    crc32c: Mapped[str] = mapped_column(String)
    etag: Mapped[str] = mapped_column(String)
    content_type: Mapped[str] = mapped_column(String)
    created: Mapped[str] = mapped_column(String)
    file: Mapped[str | None] = mapped_column(String)
    reference: Mapped[str | None] = mapped_column(String)
    mtime_ns: Mapped[int | None] = mapped_column(BigInteger)
    inode: Mapped[int | None] = mapped_column(BigInteger)
    pieces: Mapped[list[list[Any]] | None] = mapped_column(JSON(none_as_null=True))
    """File and size of each, in their order; an upload in parts is never copied together while somebody waits."""


class UploadRow(Base):
    """An upload in parts that is neither completed nor aborted."""

    __tablename__ = "upload"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    bucket: Mapped[str] = mapped_column(String)
    key: Mapped[str] = mapped_column(String)
    content_type: Mapped[str] = mapped_column(String)
    created: Mapped[str] = mapped_column(String)

    __table_args__ = (Index("ix_upload_key", "bucket", "key"),)


class UploadPartRow(Base):
    """A part of it, whole and checked; its bytes are `file`."""

    __tablename__ = "upload_part"

    upload_id: Mapped[str] = mapped_column(ForeignKey("upload.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    crc32c: Mapped[str] = mapped_column(String)
    etag: Mapped[str] = mapped_column(String)
    file: Mapped[str] = mapped_column(String)
    created: Mapped[str] = mapped_column(String)


class GrantRow(Base):
    """Somebody may do something with a resource that is not their own."""

    __tablename__ = "access_grant"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_type: Mapped[str] = mapped_column(String)
    resource_id: Mapped[str] = mapped_column(String)
    subject_type: Mapped[str] = mapped_column(String)
    subject_id: Mapped[str] = mapped_column(String)
    relation: Mapped[str] = mapped_column(String)
    created_by: Mapped[str] = mapped_column(String)
    created_at: Mapped[str] = mapped_column(String)
    revoked_at: Mapped[str | None] = mapped_column(String)

    __table_args__ = (
        Index("grant_of_resource", "resource_id"),
        Index("grant_to_subject", "subject_type", "subject_id"),
    )


class ShareTokenRow(Base):
    """A token that opens what is granted to it; the secret itself is not kept, its SHA-256 is."""

    __tablename__ = "share_token"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String, unique=True)
    created_by: Mapped[str] = mapped_column(String)
    created_at: Mapped[str] = mapped_column(String)
    expires_at: Mapped[str | None] = mapped_column(String)
    revoked_at: Mapped[str | None] = mapped_column(String)


class FairShareRow(Base):
    """When a user was served last, as a number that grows with each item that is handed out."""

    __tablename__ = "fair_share"

    user_id: Mapped[str] = mapped_column(String, primary_key=True)
    served: Mapped[int] = mapped_column(Integer)


class CallbackRow(Base):
    """A message that is to be sent to an address; written with the change that it tells of, deleted when delivered."""

    __tablename__ = "callback"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    delivery: Mapped[str] = mapped_column(String(36))
    run_id: Mapped[str] = mapped_column(String(36))
    event: Mapped[str] = mapped_column(String)
    url: Mapped[str] = mapped_column(String(2083))
    body: Mapped[str] = mapped_column(String)
    created: Mapped[float] = mapped_column(Float)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    due: Mapped[float] = mapped_column(Float)
    """Wall time in seconds of the next attempt."""

    __table_args__ = (Index("callback_due", "due"),)
