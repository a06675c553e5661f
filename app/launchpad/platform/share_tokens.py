"""`client.share_tokens` of the old SDK."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from launchpad.platform.http import Api, parse, segment
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


class AccessGrant:
    """A grant on a run; `data` is what the platform says of it, and its fields are this object's, too."""

    def __init__(self, api: Api, data: GrantReadResponse) -> None:
        self._api = api
        self.data = data

    def __getattr__(self, name: str) -> Any:
        if name in ("_api", "data"):  # not made yet
            raise AttributeError(name)
        return getattr(self.data, name)

    def revoke(self) -> None:
        """Take it back."""
        Sharing(self._api).revoke_grant(self.data.grant_id)


class ShareToken:
    """A token; `share_token` is its secret, which only the one that `create` returned has."""

    def __init__(self, api: Api, data: ShareTokenCreateResponse | ShareTokenReadResponse) -> None:
        self._api = api
        self.data = data
        self.share_token_id = data.share_token_id
        self.share_token = data.share_token if isinstance(data, ShareTokenCreateResponse) else None
        self.expires_at = data.expires_at

    def close(self) -> None:
        """Close the connections of a token that `for_token_id` made; those of others belong to their client."""
        self._api.close()

    def revoke(self) -> None:
        """Take it back: nobody opens anything with it any more."""
        Sharing(self._api).revoke_share_token(self.share_token_id)

    @classmethod
    def for_token_id(cls, share_token_id: str, cache_token: bool = True) -> ShareToken:
        """The token of this id, of the platform that the settings choose, without its secret; `close` it at the end.

        Raises:
            NotFoundException: there is no such token of yours.
            Unreachable, ApiException: as every request.
        """
        from launchpad.platform.client import Client

        api = Client.get_api_client(cache_token)
        path = f"{_TOKENS}/{segment(share_token_id)}"
        return cls(api, parse(ShareTokenReadResponse, api.get(path), path))

    def list_share_grants(self, *, page_size: int = 100) -> Iterator[GrantReadResponse]:
        """What it opens, page by page."""
        query = {"subject_type": "share_token", "subject_id": self.share_token_id, "revoked": "false"}
        return pages(self._api, _GRANTS, GrantReadResponse, query, size=page_size)


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
