"""Who else may see a run: grants to people and organizations, and tokens that open it for whoever has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from launchpad.platform.http import Api, parse, segment
from launchpad.platform.models import (
    GrantCreateRequest,
    GrantReadResponse,
    GrantRelation,
    ResourceType,
    ShareTokenCreateRequest,
    ShareTokenCreateResponse,
    ShareTokenReadResponse,
    SubjectType,
)
from launchpad.platform.paging import pages

_GRANTS = "/api/v1/access/grants"
_TOKENS = "/api/v1/access/share-tokens"
_PAGE = 100


class Sharing:
    """Grants and share tokens of one platform. Every method raises Unreachable and ApiException as all requests do."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def grants(self, run_id: str, page_size: int = _PAGE) -> Iterator[GrantReadResponse]:
        """The grants on a run that are not revoked, page by page."""
        query = {"resource_type": ResourceType.RUN.value, "resource_id": run_id, "revoked": "false"}
        return pages(self._api, _GRANTS, GrantReadResponse, query, size=page_size)

    def grant(
        self,
        run_id: str,
        relation: GrantRelation = GrantRelation.VIEWER,
        *,
        email: str | None = None,
        subject_type: SubjectType = SubjectType.USER,
        subject_id: str | None = None,
    ) -> GrantReadResponse:
        """Allow a person (by address or id), an organization or a share token to see or change a run."""
        request = GrantCreateRequest(
            resource_type=ResourceType.RUN,
            resource_id=run_id,
            subject_type=subject_type,
            subject_id=subject_id,
            subject_email=email,
            relation=relation,
        )
        answer = self._api.post(_GRANTS, request.model_dump(mode="json", exclude_none=True))
        return parse(GrantReadResponse, answer, _GRANTS)

    def revoke_grant(self, grant_id: str) -> None:
        """Take a grant back."""
        self._api.delete(f"{_GRANTS}/{segment(grant_id)}")

    def share_tokens(self, run_id: str) -> Iterator[ShareTokenReadResponse]:
        """The tokens that open a run and are not revoked; their secrets are told once, when they are made."""
        query = {"run_id": run_id, "revoked": "false"}
        return pages(self._api, _TOKENS, ShareTokenReadResponse, query, size=_PAGE)

    def share_by_token(self, run_id: str, expires_at: datetime | None = None) -> ShareTokenCreateResponse:
        """Make a token and let it open a run; the answer holds the secret, which is told nowhere else.

        When the grant fails, the token is revoked again, so that none is left that opens nothing.
        """
        request = ShareTokenCreateRequest(expires_at=expires_at)
        answer = self._api.post(_TOKENS, request.model_dump(mode="json", exclude_none=True))
        token = parse(ShareTokenCreateResponse, answer, _TOKENS)
        try:
            self.grant(run_id, subject_type=SubjectType.SHARE_TOKEN, subject_id=token.share_token_id)
        except BaseException:
            self.revoke_share_token(token.share_token_id)
            raise
        return token

    def revoke_share_token(self, share_token_id: str) -> None:
        """Take a token back: nobody opens anything with it any more."""
        self._api.delete(f"{_TOKENS}/{segment(share_token_id)}")
