"""The platform's contract as pydantic models, named as the contract names its schemas.

Tolerant, because servers move first: unknown fields are kept, unknown enum values become members on the fly. Ids are
canonical UUID strings, times carry a time zone.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

SEMVER = (
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$"
)


def _uuid(value: str) -> str:
    return str(uuid.UUID(value))


def _url(value: str) -> str:
    parts = urlsplit(value)
    if not parts.scheme or not parts.netloc:
        raise ValueError("must be an absolute URL")
    return value


def _written(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[Tt ]", value)):
        return value
    raise ValueError("must be a date and time as RFC 3339 writes them")


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("lies outside of the calendar") from error


Instant = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_utc)]
"""A time in a request: written out, with a zone; numbers are not taken for times."""
Uuid = Annotated[str, AfterValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
SemVer = Annotated[str, Field(pattern=SEMVER)]
MimeType = Annotated[str, Field(pattern=r"^\w+\/\w+[-+.|\w+]+\w+$")]
DownloadUrl = Annotated[
    str, Field(min_length=1, max_length=2083, json_schema_extra={"format": "uri"}), AfterValidator(_url)
]


class OpenEnum(StrEnum):
    """An enum that a newer server may extend: an unknown value becomes a member of its own."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member


class Model(BaseModel):
    """Base of all models: unknown fields are kept."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=False)


class ArtifactOutput(OpenEnum):
    """Whether the bytes of an artifact can be had."""

    NONE = "NONE"
    AVAILABLE = "AVAILABLE"
    DELETED_BY_USER = "DELETED_BY_USER"
    DELETED_BY_SYSTEM = "DELETED_BY_SYSTEM"


class ArtifactState(OpenEnum):
    """Life of an output artifact."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    TERMINATED = "TERMINATED"


class ArtifactTerminationReason(OpenEnum):
    """How the making of an artifact ended."""

    SUCCEEDED = "SUCCEEDED"
    USER_ERROR = "USER_ERROR"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    SKIPPED = "SKIPPED"


class GrantRelation(OpenEnum):
    """What a grant allows."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


class ItemOutput(OpenEnum):
    """Whether an item has results."""

    NONE = "NONE"
    FULL = "FULL"


class ItemState(OpenEnum):
    """Life of an item."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    TERMINATED = "TERMINATED"


class ItemTerminationReason(OpenEnum):
    """How the processing of an item ended."""

    SUCCEEDED = "SUCCEEDED"
    USER_ERROR = "USER_ERROR"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    SKIPPED = "SKIPPED"


class OutputArtifactScope(OpenEnum):
    """Whether an artifact belongs to an item or to the whole run."""

    ITEM = "ITEM"
    GLOBAL = "GLOBAL"


class OutputArtifactVisibility(OpenEnum):
    """Whether an artifact is meant for users."""

    INTERNAL = "INTERNAL"
    EXTERNAL = "EXTERNAL"


class ResourceType(OpenEnum):
    """What a grant is given on."""

    RUN = "run"
    ITEM = "item"
    OUTPUT_ARTIFACT = "output_artifact"
    SHARE_TOKEN = "share_token"


class RunOutput(OpenEnum):
    """How much of the results of a run exists."""

    NONE = "NONE"
    PARTIAL = "PARTIAL"
    FULL = "FULL"


class RunState(OpenEnum):
    """Life of a run."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    TERMINATED = "TERMINATED"


class RunTerminationReason(OpenEnum):
    """How a run ended."""

    ALL_ITEMS_PROCESSED = "ALL_ITEMS_PROCESSED"
    CANCELED_BY_SYSTEM = "CANCELED_BY_SYSTEM"
    CANCELED_BY_USER = "CANCELED_BY_USER"


class SubjectType(OpenEnum):
    """Whom a grant is given to."""

    USER = "user"
    ORGANIZATION_ADMIN = "organization_admin"
    ORGANIZATION_USER = "organization_user"
    SHARE_TOKEN = "share_token"


class VersionDocumentVisibility(OpenEnum):
    """Who may read a document."""

    PUBLIC = "public"
    INTERNAL = "internal"


class ApplicationVersion(Model):
    """A released version of an application."""

    number: SemVer
    released_at: AwareDatetime


class CustomMetadataUpdateRequest(Model):
    """New custom metadata; with a checksum it is refused when somebody else changed it meanwhile."""

    custom_metadata: dict[str, Any] | None = None
    custom_metadata_checksum: str | None = None


class CustomMetadataUpdateResponse(Model):
    """Checksum of the custom metadata that is now stored."""

    custom_metadata_checksum: Annotated[str | None, Field(json_schema_extra={"readOnly": True})]


class GrantCreateRequest(Model):
    """Who shall be allowed what on which resource."""

    resource_type: ResourceType
    resource_id: Uuid
    subject_type: SubjectType
    subject_id: str | None = None
    subject_email: str | None = None
    relation: GrantRelation


class GrantReadResponse(Model):
    """A grant."""

    grant_id: Uuid
    resource_type: ResourceType
    resource_id: Uuid
    subject_type: SubjectType
    subject_id: str
    relation: GrantRelation
    created_by: str
    created_at: AwareDatetime
    revoked: bool


class InputArtifact(Model):
    """What an application wants for each item, with the JSON Schema of its metadata."""

    name: str
    mime_type: MimeType
    metadata_schema: dict[str, Any]


class InputArtifactCreationRequest(Model):
    """An input of a new item: where its bytes are and its metadata."""

    name: str
    download_url: DownloadUrl
    metadata: dict[str, Any]


class InputArtifactResultReadResponse(Model):
    """An input of an item."""

    input_artifact_id: Uuid
    name: str
    metadata: dict[str, Any] | None = None
    download_url: DownloadUrl | None = None


class ItemCreationRequest(Model):
    """An item of a new run: one whole slide image."""

    external_id: Annotated[str, Field(max_length=255)]
    custom_metadata: dict[str, Any] | None = None
    input_artifacts: list[InputArtifactCreationRequest]


class OrganizationReadResponse(Model):
    """The organization and the keys of its bucket."""

    id: str
    name: str | None = None
    display_name: str | None = None
    aignostics_bucket_hmac_access_key_id: str
    aignostics_bucket_hmac_secret_access_key: str
    aignostics_bucket_name: str
    aignostics_bucket_protocol: str
    aignostics_logfire_token: str
    aignostics_sentry_dsn: str


class OutputArtifact(Model):
    """What an application makes, for each item or for the run."""

    name: str
    mime_type: MimeType
    metadata_schema: dict[str, Any]
    scope: OutputArtifactScope
    visibility: OutputArtifactVisibility


class OutputArtifactResultReadResponse(Model):
    """An output of an item."""

    output_artifact_id: Uuid
    name: str
    metadata: dict[str, Any] | None = None
    state: ArtifactState
    termination_reason: ArtifactTerminationReason | None = None
    output: ArtifactOutput
    error_code: str | None = None
    error_message: str | None = None
    download_url: Annotated[DownloadUrl | None, Field(json_schema_extra={"deprecated": True})] = None


class RunCreationResponse(Model):
    """The new run."""

    run_id: Uuid


class RunItemStatistics(Model):
    """How many items of a run are in which state."""

    item_count: int
    item_pending_count: int
    item_processing_count: int
    item_user_error_count: int
    item_system_error_count: int
    item_skipped_count: int
    item_succeeded_count: int


class SchedulingRequest(Model):
    """When a run should and must have ended."""

    due_date: Instant | None = None
    deadline: Instant | None = None


class SchedulingResponse(Model):
    """When a run should and must have ended."""

    due_date: AwareDatetime | None = None
    deadline: AwareDatetime | None = None


class ShareTokenCreateRequest(Model):
    """A token that opens what is granted to it."""

    expires_at: Instant | None = None


class ShareTokenCreateResponse(Model):
    """A new share token; its secret is shown here only."""

    share_token_id: Uuid
    share_token: str
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked: bool


class ShareTokenReadResponse(Model):
    """A share token, without its secret."""

    share_token_id: Uuid
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked: bool


class UserReadResponse(Model):
    """The signed-in user."""

    id: str
    email: str | None = None
    email_verified: bool | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    nickname: str | None = None
    picture: str | None = None
    updated_at: AwareDatetime | None = None


class VersionDocumentResponse(Model):
    """A document of an application version."""

    id: Uuid
    name: str
    mime_type: str
    visibility: VersionDocumentVisibility
    created_at: AwareDatetime
    updated_at: AwareDatetime


class VersionReadResponse(Model):
    """A version with its inputs and outputs."""

    version_number: SemVer
    changelog: str
    input_artifacts: list[InputArtifact]
    output_artifacts: list[OutputArtifact]
    released_at: AwareDatetime


class ApplicationReadResponse(Model):
    """An application with its versions."""

    application_id: str
    name: str
    regulatory_classes: list[str]
    description: str
    versions: list[ApplicationVersion]


class ApplicationReadShortResponse(Model):
    """An application, as a list shows it."""

    application_id: str
    name: str
    regulatory_classes: list[str]
    description: str
    latest_version: ApplicationVersion | None = None


class ItemResultReadResponse(Model):
    """An item of a run with its artifacts."""

    item_id: Uuid
    external_id: str
    custom_metadata: dict[str, Any] | None
    custom_metadata_checksum: str | None = None
    queue_position_org: int | None = None
    queue_position_platform: int | None = None
    state: ItemState
    output: ItemOutput
    termination_reason: ItemTerminationReason | None = None
    error_code: str | None = None
    error_message: str | None = None
    terminated_at: AwareDatetime | None = None
    input_artifacts: list[InputArtifactResultReadResponse]
    output_artifacts: list[OutputArtifactResultReadResponse]


class MeReadResponse(Model):
    """Who is signed in."""

    user: UserReadResponse
    organization: OrganizationReadResponse


class RunCreationRequest(Model):
    """A run to be made."""

    application_id: str
    version_number: str | None = None
    custom_metadata: dict[str, Any] | None = None
    scheduling: SchedulingRequest | None = None
    callback_context: dict[str, Any] | None = None
    items: Annotated[list[ItemCreationRequest], Field(min_length=1)]


class RunReadResponse(Model):
    """A run."""

    run_id: Uuid
    application_id: str
    version_number: str
    state: RunState
    output: RunOutput
    termination_reason: RunTerminationReason | None
    error_code: str | None
    error_message: str | None
    statistics: RunItemStatistics
    custom_metadata: dict[str, Any] | None = None
    custom_metadata_checksum: str | None = None
    submitted_at: AwareDatetime
    submitted_by: str
    organization_id: str | None = None
    terminated_at: AwareDatetime | None = None
    num_preceding_items_org: int | None = None
    num_preceding_items_platform: int | None = None
    scheduling: SchedulingResponse | None = None
