"""Bytes to and from buckets: signatures, checksums, upload, download."""
