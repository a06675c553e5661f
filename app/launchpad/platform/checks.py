"""What a run must be before it is posted: checked here, so that mistakes are told before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from launchpad.errors import BadInput, LaunchpadError
from launchpad.platform.custom_metadata import ItemSdkMetadata, RunSdkMetadata
from launchpad.platform.models import InputArtifactCreationRequest, ItemCreationRequest, VersionReadResponse

_MESSAGE_LIMIT = 300  # characters of a schema's complaint, which may repeat the whole value


def check_items(items: Sequence[ItemCreationRequest], version: VersionReadResponse) -> None:
    """Check items against what a version wants.

    Raises:
        BadInput: names the item and what is wrong.
        LaunchpadError: the version's own description is damaged.
    """
    if not items:
        raise BadInput("There is nothing to submit", advice="Add at least one slide.")
    wanted = {artifact.name: artifact for artifact in version.input_artifacts}
    validators = {name: _validator(name, artifact.metadata_schema) for name, artifact in wanted.items()}
    seen: set[str] = set()
    for item in items:
        if item.external_id in seen:
            raise BadInput(
                "Two items have the same external id", advice="Leave one of them out.", subject=item.external_id
            )
        seen.add(item.external_id)
        given = [artifact.name for artifact in item.input_artifacts]
        for name in sorted({*given, *wanted}):
            if name not in wanted:
                known = ", ".join(sorted(wanted))
                raise _artifact(item, name, "is not one that the application takes", f"It takes: {known}.")
            if given.count(name) != 1:
                raise _artifact(item, name, "is there twice" if name in given else "is missing", "Give it once.")
        for artifact in item.input_artifacts:
            _check_metadata(item.external_id, artifact, validators[artifact.name])


def check_sdk_metadata(custom_metadata: Mapping[str, Any] | None, items: Sequence[ItemCreationRequest]) -> None:
    """Check the `sdk` parts of custom metadata, where there are any.

    Raises:
        BadInput: names the place and what is wrong.
    """
    check_sdk(RunSdkMetadata, custom_metadata, "")
    for item in items:
        check_sdk(ItemSdkMetadata, item.custom_metadata, item.external_id)


def check_sdk(model: type[BaseModel], metadata: Mapping[str, Any] | None, subject: str) -> None:
    """Check the `sdk` part of custom metadata, where there is one; BadInput names the place and what is wrong."""
    if metadata is None or "sdk" not in metadata:
        return
    try:
        model.model_validate(metadata["sdk"])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(["sdk", *map(str, first["loc"])])
        raise BadInput(
            "The custom metadata are not what the schema of `sdk` says",
            detail=f"{place}: {first['msg']}.",
            advice="Correct them, or leave out `sdk`.",
            subject=subject,
        ) from error


def _artifact(item: ItemCreationRequest, name: str, problem: str, advice: str) -> BadInput:
    return BadInput(f"The input artifact “{name}” {problem}", advice=advice, subject=item.external_id)


def _validator(name: str, schema: Mapping[str, Any]) -> Any:
    import jsonschema
    import referencing

    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(dict(schema))
    except jsonschema.SchemaError as error:
        raise _damaged(name, error.message) from error
    # A registry of its own: a schema that names another one by address must not make us fetch it.
    return kind(schema, registry=referencing.Registry())


def _check_metadata(external_id: str, artifact: InputArtifactCreationRequest, validator: Any) -> None:
    import referencing.exceptions

    try:
        problems = sorted(validator.iter_errors(artifact.metadata), key=lambda error: list(map(str, error.path)))
    except referencing.exceptions.Unresolvable as error:
        raise _damaged(artifact.name, str(error)) from error
    if problems:
        first = problems[0]
        place = ".".join(str(part) for part in first.path)
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        raise BadInput(
            "The metadata of a slide are not what the application wants",
            detail=f"{f'{place}: ' if place else ''}{first.message[:_MESSAGE_LIMIT]}.{more}",
            advice="Correct the metadata, then submit again.",
            subject=external_id,
        )


def _damaged(name: str, reason: str) -> LaunchpadError:
    return LaunchpadError(
        "The application's description of its input is damaged",
        detail=f"{reason[:_MESSAGE_LIMIT]}.",
        advice="Choose another version, and tell those who run the platform.",
        subject=name,
    )
