"""Signs what the application's look for updates reads, and the list of checksums. Keys come from the environment.

    feed.py keys                                    print a new pair of keys
    feed.py sign-feed RELEASES.json OUT.json        sign an announcement (LAUNCHPAD_UPDATE_PRIVATE_KEY)
    feed.py announce VERSION NOTES.md BASE_URL FOLDER OUT.json
                                                    write the announcement of the installers in a folder
    feed.py sums FOLDER                             write SHA256SUMS, and SHA256SUMS.sig where there is a key
    feed.py verify FOLDER PUBLIC_KEY[,…]            check SHA256SUMS, its signature and every file that it names

Without a key nothing is signed, and the last line says so. Keys are base64 of 32 bytes (Ed25519).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY = "LAUNCHPAD_UPDATE_PRIVATE_KEY"
SUMS = "SHA256SUMS"
_KINDS = {".deb": "deb", ".rpm": "rpm", ".AppImage": "appimage", ".tar.xz": "tar.xz", ".exe": "exe", ".dmg": "dmg"}


def private_key() -> Ed25519PrivateKey | None:
    """The key of the environment, None where it has none."""
    text = os.environ.get(KEY, "").strip()
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True)) if text else None


def new_keys() -> tuple[str, str]:
    """A private and a public key, base64."""
    made = Ed25519PrivateKey.generate()
    pair = (made.private_bytes_raw(), made.public_key().public_bytes_raw())
    return base64.b64encode(pair[0]).decode(), base64.b64encode(pair[1]).decode()


def signed(announcement: str, key: Ed25519PrivateKey) -> str:
    """The feed: the announcement's text and its signature in one document."""
    signature = base64.b64encode(key.sign(announcement.encode())).decode()
    return json.dumps({"signed": announcement, "signature": signature}, ensure_ascii=False)


def machine_of(name: str) -> str:
    """The machine that an installer's name tells."""
    if re.search(r"arm64|aarch64", name):
        return "arm64"
    return "x86_64" if re.search(r"x86_64|amd64|x64", name) else "any"


def announcement(version: str, notes: str, base: str, folder: Path) -> str:
    """The announcement of the installers in a folder, as a text of JSON."""
    files = []
    for file in sorted(folder.iterdir()):
        kind = next((kind for end, kind in _KINDS.items() if file.name.endswith(end)), None)
        if kind is not None:
            files.append(
                {
                    "kind": kind, "machine": machine_of(file.name), "name": file.name,
                    "url": f"{base.rstrip('/')}/{file.name}", "size": file.stat().st_size, "sha256": sha256(file),
                }
            )  # fmt: skip
    release = {"version": version, "date": f"{datetime.now(UTC):%Y-%m-%d}", "notes": notes, "files": files}
    return json.dumps({"schema": 1, "releases": [release]}, ensure_ascii=False, indent=1)


def sha256(file: Path) -> str:
    """In hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def sums(folder: Path, key: Ed25519PrivateKey | None) -> list[Path]:
    """Write the list of checksums (as `sha256sum --check` reads it) and its signature; what was written."""
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(SUMS)]
    listed = folder / SUMS
    listed.write_text("".join(f"{sha256(file)}  {file.name}\n" for file in files), encoding="utf-8")
    signature = folder / f"{SUMS}.sig"
    signature.unlink(missing_ok=True)
    if key is None:
        return [listed]
    signature.write_text(base64.b64encode(key.sign(listed.read_bytes())).decode() + "\n", encoding="ascii")
    return [listed, signature]


def verify(folder: Path, public: str) -> None:
    """Check the signature, by one of the keys, and every file that the list names.

    Raises:
        ValueError: something is not as it was signed, or a file is not named.
    """
    listed = (folder / SUMS).read_bytes()
    signature = base64.b64decode((folder / f"{SUMS}.sig").read_text(encoding="ascii").strip(), validate=True)
    if not any(_is_signed_by(key.strip(), signature, listed) for key in public.split(",")):
        raise ValueError(f"{SUMS} is not signed by this key")
    named = set()
    for line in listed.decode().splitlines():
        digest, _, name = line.partition("  ")
        named.add(name)
        if sha256(folder / name) != digest:
            raise ValueError(f"{name} is not what was signed")
    there = {file.name for file in folder.iterdir() if file.is_file() and not file.name.startswith(SUMS)}
    if there != named:
        raise ValueError(f"not in {SUMS}: {', '.join(sorted(there - named))}")


def _is_signed_by(public: str, signature: bytes, content: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True)).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def main(arguments: list[str]) -> int:
    """Do what the arguments say."""
    match arguments:
        case ["keys"]:
            private, public = new_keys()
            print(f"{KEY}={private}\nLAUNCHPAD_UPDATE_PUBLIC_KEY={public}")
        case ["announce", version, notes, base, folder, out]:
            text = announcement(version, Path(notes).read_text(encoding="utf-8"), base, Path(folder))
            Path(out).write_text(text, encoding="utf-8")
        case ["sign-feed", source, out]:
            key = private_key()
            if key is None:
                print(f"unsigned: {KEY} is not set, no feed was written")
                return 0
            Path(out).write_text(signed(Path(source).read_text(encoding="utf-8"), key), encoding="utf-8")
            print(f"signed: {out}")
        case ["sums", folder]:
            made = sums(Path(folder), private_key())
            print(f"signed: {made[1]}" if len(made) == 2 else f"unsigned: {KEY} is not set")
        case ["verify", folder, public]:
            try:
                verify(Path(folder), public)
            except (ValueError, OSError) as error:
                print(f"refused: {error}")
                return 1
            print("verified")
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
