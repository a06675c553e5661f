"""The one-time codes by which a person lets an application into the platform on this computer."""

from __future__ import annotations

from dataclasses import dataclass

from launchpad.errors import LaunchpadError, Unreachable
from launchpad.tls import verification

SECRET_HEADER = "X-Launchpad-Launch-Secret"


@dataclass(frozen=True)
class OneTimeCode:
    """A request that waits for a person: its code, who asks, where the answer goes, and the seconds that are left."""

    code: str
    kind: str
    client_id: str
    goes_to: str
    expires_in: float


def waiting(api_root: str, launch_secret: str) -> list[OneTimeCode]:
    """The codes of all requests that wait at a platform, newest first.

    Raises:
        Unreachable: it does not answer.
        LaunchpadError: it does not accept the launch secret.
    """
    import httpx

    try:
        answer = httpx.get(
            f"{api_root}/identity/codes",
            headers={SECRET_HEADER: launch_secret},
            timeout=10,
            trust_env=False,
            verify=verification(),
        )
        answer.raise_for_status()
        return [
            OneTimeCode(**{name: item[name] for name in OneTimeCode.__annotations__}) for item in answer.json()["codes"]
        ]
    except httpx.TransportError as error:
        raise Unreachable(
            "The platform on this computer does not answer",
            advice="Try again; `launchpad platform status` says how it is.",
            subject=api_root,
        ) from error
    except (httpx.HTTPStatusError, ValueError, KeyError, TypeError) as error:
        raise LaunchpadError(
            "The platform on this computer does not give its codes",
            detail=f"{error}.",
            advice="Stop it by `launchpad platform stop`, then try again.",
            subject=api_root,
        ) from error
