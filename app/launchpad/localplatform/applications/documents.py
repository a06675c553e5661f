"""The documents of an application version: what it is meant for, what it makes, what it does not do."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from launchpad import analysis
from launchpad.platform.models import VersionDocumentResponse

if TYPE_CHECKING:
    from launchpad.localplatform.applications.registry import Application

_OURS = uuid.UUID("6e0f0c5a-1b1e-5d53-9a53-0f2f8f6c8a10")


@dataclass(frozen=True)
class Document:
    """A document of a version; `text` is its content, `mime_type` what that is."""

    name: str
    mime_type: str
    text: str


def documents(application: Application) -> tuple[Document, ...]:
    """The documents of the one version that there is."""
    return (
        Document("intended_use.md", "text/markdown", _intended_use(application)),
        Document("outputs.md", "text/markdown", _outputs(application)),
    )


def described(application: Application, document: Document) -> VersionDocumentResponse:
    """As the contract shows it."""
    name = f"{application.application_id}/{application.number}/{document.name}"
    return VersionDocumentResponse.model_validate(
        {
            "id": str(uuid.uuid5(_OURS, name)),
            "name": document.name,
            "mime_type": document.mime_type,
            "visibility": "public",
            "created_at": application.released_at,
            "updated_at": application.released_at,
        }
    )


def _intended_use(application: Application) -> str:
    return (
        f"# {application.name}, version {application.number}\n\n"
        f"{application.description}\n\n"
        "## Intended use\n\n"
        f"{analysis.NOTICE}\n"
        "It is meant for trying out the way from slide to result, for teaching, and for research whose conclusions are "
        "checked by other means. It was not validated on any cohort, and it is not the product of another maker with a "
        "similar name.\n\n"
        "## What it does not do\n\n"
        "- It grades and stages nothing, and proposes no diagnosis or therapy.\n"
        "- It knows haematoxylin and eosin only; other stains are analysed with a warning in the results.\n"
        "- Cell classes follow rules on size, shape and darkness; they are no cell types proven by markers.\n"
    )


def _outputs(application: Application) -> str:
    lines = [f"# Outputs of {application.name}, version {application.number}", ""]
    lines += [f"- `{output.name}` ({output.mime_type})" for output in application.details().output_artifacts]
    lines += [
        "",
        "Lengths are in micrometres, areas in square micrometres, coordinates in pixels of the base level.",
        "",
    ]
    return "\n".join(lines)
