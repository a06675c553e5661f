"""`launchpad application run share`: who else may see a run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli import completion
from launchpad.cli import run_steps as steps
from launchpad.cli.output import Format, print_json, say
from launchpad.errors import BadInput, NotFound

if TYPE_CHECKING:
    from launchpad.application.service import Service
    from launchpad.platform.models import GrantReadResponse, ShareTokenReadResponse

app = typer.Typer(no_args_is_help=True, help="Who else may see a run.")
organization_app = typer.Typer(no_args_is_help=True, help="Organizations whose people may see a run.")
token_app = typer.Typer(no_args_is_help=True, help="Tokens that open a run for whoever has them.")
app.add_typer(organization_app, name="organization")
app.add_typer(token_app, name="token")

_Organization = Annotated[str | None, typer.Argument(help="Id of the organization; default: your own.")]
_Format = Annotated[Format, typer.Option("--format", help="How to print.")]


@app.command()
def status(run_id: completion.RunId, output_format: _Format = Format.TEXT) -> None:
    """Say who may see a run."""
    with steps.service() as service:
        grants, tokens = _grants(service, run_id), _tokens(service, run_id)
    if output_format is Format.JSON:
        print_json(
            {
                "organization_grants": [item.model_dump(mode="json") for item in grants],
                "share_tokens": [item.model_dump(mode="json") for item in tokens],
            }
        )
        return
    _say_grants(grants)
    _say_tokens(tokens)


@organization_app.command("list")
def list_organizations(run_id: completion.RunId, output_format: _Format = Format.TEXT) -> None:
    """List the organizations that may see a run."""
    with steps.service() as service:
        grants = _grants(service, run_id)
    if output_format is Format.JSON:
        print_json(grants)
        return
    _say_grants(grants)


@organization_app.command()
def grant(
    run_id: completion.RunId, organization_id: _Organization = None, output_format: _Format = Format.TEXT
) -> None:
    """Let the people of an organization see a run."""
    from launchpad.platform.models import SubjectType

    with steps.service() as service:
        organization = organization_id or service.client.me().organization.id
        given = service.client.sharing.grant(
            run_id, subject_type=SubjectType.ORGANIZATION_USER, subject_id=organization
        )
    if output_format is Format.JSON:
        print_json(given)
        return
    say(f"Organization '{organization}' may see run '{run_id}'.")


@organization_app.command("revoke")
def revoke_organization(run_id: completion.RunId, organization_id: _Organization = None) -> None:
    """Take a grant back."""
    with steps.service() as service:
        organization = organization_id or service.client.me().organization.id
        fitting = [item for item in _grants(service, run_id) if item.subject_id == organization]
        if not fitting:
            raise NotFound(
                "The organization has no grant on this run",
                advice=f"Look with `launchpad application run share organization list {run_id}`.",
                subject=organization,
            )
        for item in fitting:
            service.client.sharing.revoke_grant(item.grant_id)
    say(f"Organization '{organization}' may not see run '{run_id}' any more.")


@token_app.command("list")
def list_tokens(run_id: completion.RunId, output_format: _Format = Format.TEXT) -> None:
    """List the tokens that open a run; without their secrets."""
    with steps.service() as service:
        tokens = _tokens(service, run_id)
    if output_format is Format.JSON:
        print_json(tokens)
        return
    _say_tokens(tokens)


@token_app.command()
def create(
    run_id: completion.RunId,
    expires_at: Annotated[str | None, typer.Option(help="When it ends, ISO 8601; without a zone: UTC.")] = None,
    output_format: _Format = Format.TEXT,
) -> None:
    """Make a token that opens a run. Its secret is shown here and nowhere else."""
    end = None
    if expires_at is not None:
        try:
            end = datetime.fromisoformat(expires_at)
        except ValueError:
            raise BadInput(
                "The time is malformed", advice="Write it like 2030-01-31T18:00:00Z.", subject="--expires-at"
            ) from None
        end = end if end.tzinfo is not None else end.replace(tzinfo=UTC)
        if end <= datetime.now(UTC):
            raise BadInput("The time lies in the past", advice="Choose a later one.", subject="--expires-at")
    with steps.service() as service:
        service.application_run(run_id).details()  # an unknown run gets no token
        made = service.client.sharing.share_by_token(run_id, end)
    if output_format is Format.JSON:
        print_json(made)
        return
    say(f"Token {made.share_token_id}. Its secret is shown only now:")
    say(made.share_token)


@token_app.command("revoke")
def revoke_token(run_id: completion.RunId, token_id: Annotated[str, typer.Argument(help="Id of the token.")]) -> None:
    """Take a token back."""
    with steps.service() as service:
        if token_id not in {item.share_token_id for item in _tokens(service, run_id)}:
            raise NotFound(
                "The run has no such token",
                advice=f"Look with `launchpad application run share token list {run_id}`.",
                subject=token_id,
            )
        service.client.sharing.revoke_share_token(token_id)
    say(f"Token '{token_id}' opens nothing any more.")


def _grants(service: Service, run_id: str) -> list[GrantReadResponse]:
    service.application_run(run_id).details()  # an unknown run is told of as such
    return [item for item in service.client.sharing.grants(run_id) if str(item.subject_type).startswith("organization")]


def _tokens(service: Service, run_id: str) -> list[ShareTokenReadResponse]:
    service.application_run(run_id).details()
    return list(service.client.sharing.share_tokens(run_id))


def _say_grants(grants: list[GrantReadResponse]) -> None:
    for item in grants:
        say(f"{item.grant_id}  {item.subject_type} {item.subject_id}  {item.relation}")
    if not grants:
        say("No organization has a grant.")


def _say_tokens(tokens: list[ShareTokenReadResponse]) -> None:
    for item in tokens:
        end = f"until {item.expires_at.astimezone():%Y-%m-%d %H:%M}" if item.expires_at else "without an end"
        say(f"{item.share_token_id}  {end}")
    if not tokens:
        say("No token opens it.")
