"""Detached OpenPGP signatures of packages for Linux: `signing.py FILE …`, `signing.py --verify PUBLIC_KEY FILE …`.

LAUNCHPAD_LINUX_SIGNING_KEY is the file of a secret key (`gpg --armor --export-secret-keys`), _PASSPHRASE its passphrase
where it has one. The key is used in a keyring of its own that is gone afterwards; each signature is verified. Without a
key the files of package.py are named `-unsigned`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

KEY = "LAUNCHPAD_LINUX_SIGNING_KEY"


class SigningFailed(Exception):
    """A file is not signed, or its signature is not right."""


def has_key() -> bool:
    """Whether there is something to sign with."""
    return bool(os.environ.get(KEY))


def sign(files: Sequence[Path]) -> list[Path]:
    """Write FILE.asc beside each file and verify it.

    Raises:
        SigningFailed: gpg is missing, or refuses the key or its passphrase.
    """
    made = []
    with _keyring(Path(os.environ[KEY])) as home:
        keys = _gpg(home, "--list-secret-keys", "--with-colons")
        found = re.search(r"^sec:.*\n(?:.*\n)*?fpr:+(\w+):", keys, re.MULTILINE)
        if found is None:
            raise SigningFailed(f"{os.environ[KEY]} holds no secret key")
        how = ("--yes", "--local-user", found[1], "--armor", "--detach-sign", "--output")
        for file in files:
            target = file.with_name(f"{file.name}.asc")
            _gpg(home, *how, str(target), str(file))
            _gpg(home, "--verify", str(target), str(file))
            made.append(target)
    return made


def verify(public: Path, files: Sequence[Path]) -> None:
    """Check the signatures beside the files.

    Raises:
        SigningFailed: a signature is missing, of another key, or of another file.
    """
    with _keyring(public) as home:
        for file in files:
            _gpg(home, "--verify", f"{file}.asc", str(file))


@contextlib.contextmanager
def _keyring(key: Path) -> Iterator[Path]:
    """A folder for gpg that holds this key alone."""
    if shutil.which("gpg") is None:
        raise SigningFailed("gpg is missing: install the packages gpg and gpg-agent")
    home = Path(tempfile.mkdtemp(prefix="lpgpg", dir="/tmp"))  # gpg's sockets want a short path
    # The key lies here for a moment only: no second goes into making its copy hard to guess.
    (home / "gpg-agent.conf").write_text("s2k-count 65536\n")
    try:
        _gpg(home, "--import", str(key))
        yield home
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


def _gpg(home: Path, *arguments: str) -> str:
    command = ["gpg", "--homedir", str(home), "--batch", "--no-tty", "--pinentry-mode", "loopback"]
    command += ["--passphrase-fd", "0", *arguments]
    passphrase = os.environ.get(f"{KEY}_PASSPHRASE", "")
    said = subprocess.run(command, input=passphrase, capture_output=True, text=True, check=False)
    if said.returncode != 0:
        raise SigningFailed(said.stderr.strip())
    return said.stdout


def main(arguments: list[str]) -> int:
    """Sign or verify what the arguments say."""
    try:
        if arguments[:1] == ["--verify"] and len(arguments) > 2:
            verify(Path(arguments[1]), [Path(file) for file in arguments[2:]])
            print("verified")
        elif arguments and not arguments[0].startswith("-"):
            if not has_key():
                print(f"unsigned: {KEY} is not set")
                return 0
            for made in sign([Path(file) for file in arguments]):
                print(f"signed: {made}")
        else:
            print(__doc__)
            return 2
    except SigningFailed as error:
        print(f"refused: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
