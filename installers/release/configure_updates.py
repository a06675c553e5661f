"""Writes resources/updates.toml from LAUNCHPAD_UPDATE_FEED and LAUNCHPAD_UPDATE_PUBLIC_KEY (several: by commas).

Run before a release is built. Without both the build looks for no updates, and the last line says so.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "resources" / "updates.toml"


def text(feed: str, keys: list[str]) -> str:
    """The file's text.

    Raises:
        ValueError: the address is not https, or a key is none.
    """
    if feed and not feed.startswith("https://"):
        raise ValueError("the feed's address must be https")
    if any(len(base64.b64decode(key, validate=True)) != 32 for key in keys):
        raise ValueError("a public key is base64 of 32 bytes")
    head = [line for line in FILE.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    return "\n".join([*head, f"feed = {json.dumps(feed)}", f"keys = {json.dumps(keys)}", ""])


def main() -> int:
    """Write it."""
    feed = os.environ.get("LAUNCHPAD_UPDATE_FEED", "").strip()
    keys = [key.strip() for key in os.environ.get("LAUNCHPAD_UPDATE_PUBLIC_KEY", "").split(",") if key.strip()]
    FILE.write_text(text(feed, keys), encoding="utf-8")
    print(f"updates from {feed}" if feed and keys else "this build looks for no updates: no feed or no key is set")
    return 0


if __name__ == "__main__":
    sys.exit(main())
