"""Who is signed in, and the keys of the bucket."""

from __future__ import annotations

from fastapi import APIRouter

from launchpad.localplatform.api.bodies import StrictRoute
from launchpad.localplatform.api.context import Platform, User
from launchpad.localplatform.identity.tokens import USER
from launchpad.platform.models import MeReadResponse

router = APIRouter(prefix="/v1/me", tags=["Public"], route_class=StrictRoute)


@router.get("")
def get_me(user: User, platform: Platform) -> MeReadResponse:
    """The caller."""
    keys = platform.keys
    return MeReadResponse.model_validate(
        {
            "user": USER if user.user_id == USER["id"] else {"id": user.user_id},
            "organization": {
                "id": user.organization_id,
                "name": "This computer",
                "display_name": "This computer",
                "aignostics_bucket_hmac_access_key_id": keys.access_key,
                "aignostics_bucket_hmac_secret_access_key": keys.secret_key,
                "aignostics_bucket_name": keys.bucket,
                "aignostics_bucket_protocol": "gs",
                "aignostics_logfire_token": "",
                "aignostics_sentry_dsn": "",
            },
        }
    )
