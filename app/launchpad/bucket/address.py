"""Addresses: which are this computer's own, and how a URL goes out exactly as it was signed."""

from __future__ import annotations

import os
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from launchpad import paths

if TYPE_CHECKING:
    import httpx

NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def is_loopback(url: str) -> bool:
    """Whether an address is this computer's own, which no proxy may stand before."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def is_proxied(url: str) -> bool:
    """Whether the system or the environment sets a proxy for an address."""
    if is_loopback(url):
        return False
    parts = urlsplit(url)
    return parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(parts.hostname or "")


def exact(url: str) -> httpx.URL:
    """A URL whose path and query are sent byte for byte; httpx by itself would resolve `/../` and quote anew.

    Raises:
        httpx.InvalidURL: it is no URL.
    """
    import httpx

    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return httpx.URL(f"{parts.scheme}://{parts.netloc}").copy_with(raw_path=target.encode())


def use_network(proxy: str | None) -> None:
    """Proxy and certificates of the person's settings stand for the usual variables, where these say nothing.

    They are `proxy` of the settings, and what `launchpad system config http-proxy-enable` wrote.
    """
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        _stand_for(name, proxy)
    file = paths.env_file()
    if file.is_file():
        from dotenv import dotenv_values

        for name, value in dotenv_values(file).items():
            if name in NETWORK:
                _stand_for(name, value)


def _stand_for(name: str, value: str | None) -> None:
    if value and not (os.environ.get(name) or os.environ.get(name.lower())):
        os.environ[name] = value
