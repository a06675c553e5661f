"""The embedded platform as a remote one: the same server, reached by a profile that shows no launch secret."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from launchpad.platform.auth.profiles import Profile

BROWSER = (
    "import sys; sys.path.insert(0, {tests!r}); from a_browser import agree, Browser; "
    "from launchpad.platform import embedded; from pathlib import Path; "
    "where = agree(embedded.find(Path({data!r})), sys.argv[1]); browser = Browser(); browser.open(where); "
    "browser.http.close()"
)


def remote(endpoint: Any, **changes: Any) -> Profile:
    """A profile of a platform that one has to sign in to."""
    values = {
        "name": "lab",
        "title": "The lab's platform",
        "kind": "remote",
        "api_root": endpoint.api_root,
        "issuer": endpoint.issuer,
        "client_id": endpoint.client_id,
        "audience": endpoint.audience,
        "storage_endpoint": endpoint.storage_endpoint,
        "origin": "added",
    }
    return Profile(**(values | changes))


def browser_command(endpoint_data: Path, folder: Path) -> str:
    """A value of BROWSER: a program that opens the sign-in page and agrees, as a person would."""
    script = folder / "browser.py"
    script.write_text(BROWSER.format(tests=str(Path(__file__).parent), data=str(endpoint_data)))
    return f"{shlex.join([sys.executable, str(script)])} %s"


def open_by(command: str) -> Any:
    """A function that opens an address by such a command, and waits for it."""

    def opened(url: str) -> bool:
        return subprocess.run([*shlex.split(command)[:-1], url], check=True).returncode == 0

    return opened
