"""`client.share_tokens` of the old SDK."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from launchpad.platform.http import Api, parse
from launchpad.platform.models import (
    GrantReadResponse,
    ShareTokenCreateRequest,
    ShareTokenCreateResponse,
    ShareTokenReadResponse,
)
from launchpad.platform.paging import pages
from launchpad.platform.sharing import Sharing

_TOKENS = "/api/v1/access/share-tokens"
_GRANTS = "/api/v1/access/grants"


class ShareToken:
    """A token; `share_token` is its secret, which only the one that `create` returned has."""

    def __init__(self, api: Api, data: ShareTokenCreateResponse | ShareTokenReadResponse) -> None:
        self._api = api
        self.data = data
        self.share_token_id = data.share_token_id
        self.share_token = data.share_token if isinstance(data, ShareTokenCreateResponse) else None
        self.expires_at = data.expires_at

    def revoke(self) -> None:
        """Take it back: nobody opens anything with it any more."""
        Sharing(self._api).revoke_share_token(self.share_token_id)

    def list_share_grants(self) -> Iterator[GrantReadResponse]:
        """What it opens."""
        query = {"subject_type": "share_token", "subject_id": self.share_token_id, "revoked": "false"}
        return pages(self._api, _GRANTS, GrantReadResponse, query, size=100)


class ShareTokens:
    """The share tokens of the signed-in user. Every method raises Unreachable and ApiException."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, *, run_id: str | None = None, nocache: bool = False, page_size: int = 100) -> Iterator[ShareToken]:
        """The tokens that are not revoked, of one run or all."""
        query = {"run_id": run_id, "revoked": "false"}
        for item in pages(self._api, _TOKENS, ShareTokenReadResponse, query, size=page_size):
            yield ShareToken(self._api, item)

    def create(self, expires_at: datetime | None = None) -> ShareToken:
        """A new token, which opens nothing until `Run.grant_access("share_token", …)`; a naive time is UTC."""
        if expires_at is not None and expires_at.tzinfo is None:
            expires_at = expires_at.replace(tzinfo=UTC)
        request = ShareTokenCreateRequest(expires_at=expires_at)
        answer = self._api.post(_TOKENS, request.model_dump(mode="json", exclude_none=True))
        return ShareToken(self._api, parse(ShareTokenCreateResponse, answer, _TOKENS))
