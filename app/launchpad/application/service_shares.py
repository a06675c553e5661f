"""The part of `application.Service` that shares runs, with the names of the old SDK."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from launchpad.platform.models import GrantRelation, SubjectType
from launchpad.platform.share_tokens import AccessGrant, ShareToken

if TYPE_CHECKING:
    from launchpad.platform.client import Client


class Shares:
    """Who else may see a run. Every method raises Unreachable and ApiException as all requests do."""

    client: Client

    def application_run_organization_grants(self, run_id: str, page_size: int = 100) -> Iterator[AccessGrant]:
        """The grants to organizations, page by page."""
        for grant in self.client.run(run_id).list_share_grants(page_size=page_size):
            if str(grant.subject_type).startswith("organization"):
                yield AccessGrant(self.client.api, grant)

    def application_run_share_tokens(self, run_id: str, page_size: int = 100) -> Iterator[ShareToken]:
        """The tokens that open a run, page by page; without their secrets."""
        yield from self.client.share_tokens.list(run_id=run_id, page_size=page_size)

    def application_run_share_with_organization(self, run_id: str, organization_id: str | None = None) -> AccessGrant:
        """Let the people of an organization (one's own by default) see a run."""
        organization = organization_id or self.client.me().organization.id
        granted = self.client.sharing.grant(
            run_id, GrantRelation.VIEWER, subject_type=SubjectType.ORGANIZATION_USER, subject_id=organization
        )
        return AccessGrant(self.client.api, granted)

    def application_run_unshare_with_organization(self, run_id: str, organization_id: str | None = None) -> None:
        """Take back what an organization (one's own by default) was granted; nothing where there is no grant."""
        organization = organization_id or self.client.me().organization.id
        for grant in list(self.application_run_organization_grants(run_id)):
            if grant.subject_id == organization:
                grant.revoke()

    def application_run_create_share_token(self, run_id: str, expires_at: datetime | None = None) -> ShareToken:
        """A token that opens the run; only this answer has its secret. A naive time is UTC."""
        token = self.client.share_tokens.create(expires_at)
        try:
            self.client.run(run_id).grant_access("share_token", token.share_token_id)
        except BaseException:
            token.revoke()  # it would open nothing
            raise
        return token

    def application_run_revoke_share_token(self, run_id: str, share_token_id: str) -> None:
        """Take a token back: nobody opens anything with it any more."""
        self.client.sharing.revoke_share_token(share_token_id)
