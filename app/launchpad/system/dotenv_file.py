"""The person's file of variables (`KEY=value`), which settings are read from; other lines stay as they are."""

from __future__ import annotations

import os
import re
from pathlib import Path

from launchpad import paths
from launchpad.bucket.address import NETWORK
from launchpad.errors import BadInput, LaunchpadError

_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
_HOST = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]")  # IPv6 addresses in brackets, as URLs have them
_PROXY_NAMES = (*NETWORK, "SSL_NO_VERIFY")


def file() -> Path:
    """Where it is; it does not have to exist."""
    return paths.env_file()


def get(key: str) -> str | None:
    """The value of a variable: of the environment, else of the file. Raises BadInput when the name is malformed."""
    from dotenv import dotenv_values

    name = _checked(key)
    if name in os.environ:
        return os.environ[name]
    return dotenv_values(file()).get(name) if file().is_file() else None


def put(key: str, value: str) -> None:
    """Set a variable in the file, which is made where it is missing.

    Raises:
        BadInput: the name is malformed, or the value has more than one line.
        LaunchpadError: the file cannot be written.
    """
    name = _checked(key)
    if "\n" in value or "\r" in value:
        raise BadInput("The value has more than one line", advice="Give one line.", subject=name)
    quoted = (
        value
        if re.fullmatch(r"[\w.:/@%+,=~-]*", value)
        else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    )
    _write([*_without(name), f"{name}={quoted}"])


def unset(key: str) -> bool:
    """Take a variable out of the file; whether it was there. Raises as `put`."""
    name = _checked(key)
    before = _lines()
    kept = _without(name)
    if len(kept) == len(before):
        return False
    _write(kept)
    return True


def set_proxy(host: str, port: int, scheme: str, ssl_cert_file: str | None, *, no_ssl_verify: bool) -> None:
    """Write the proxy's variables. Raises as `put`, and BadInput for what is no host or no certificate file."""
    if not _HOST.fullmatch(host):
        raise BadInput("This is no name or address of a host", advice="Write it like proxy.example.org.", subject=host)
    if ssl_cert_file is not None and not Path(ssl_cert_file).is_file():
        raise BadInput("The certificate file does not exist", advice="Check its path.", subject=ssl_cert_file)
    if ssl_cert_file is not None and no_ssl_verify:
        raise BadInput("A certificate file and no verification exclude each other", advice="Leave out one of them.")
    remove_proxy()
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        put(name, f"{scheme}://{host}:{port}")
    if ssl_cert_file is not None:
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            put(name, str(Path(ssl_cert_file).absolute()))
    if no_ssl_verify:
        put("SSL_NO_VERIFY", "1")


def remove_proxy() -> None:
    """Take the proxy's variables out of the file. Raises as `put`."""
    for name in _PROXY_NAMES:
        unset(name)


def _checked(key: str) -> str:
    name = key.strip().upper()
    if not _NAME.fullmatch(name):
        raise BadInput("This is no name of a variable", advice="Write it like LAUNCHPAD_LOG_LEVEL.", subject=key)
    return name


def _lines() -> list[str]:
    try:
        return file().read_text(encoding="utf-8").splitlines() if file().is_file() else []
    except (OSError, UnicodeError) as error:
        raise LaunchpadError(
            "The settings file cannot be read", detail=f"{error}.", advice="Check your rights.", subject=str(file())
        ) from error


def _without(name: str) -> list[str]:
    return [line for line in _lines() if not re.match(rf"\s*(?:export\s+)?{re.escape(name)}\s*=", line)]


def _write(lines: list[str]) -> None:
    try:
        paths.ensure_private(file().parent)
        paths.write_private(file(), "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise LaunchpadError(
            "The settings cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Check your rights, and the disk's free space.",
            subject=str(file()),
        ) from error
