"""TLS as the system trusts: private authorities of a hospital work, and certificates are always verified."""

from __future__ import annotations

import ssl


def verification() -> ssl.SSLContext:
    """What a client of HTTP verifies by; without TLS, too, as httpx's own reads certificates for 40 ms."""
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
