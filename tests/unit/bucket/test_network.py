"""The proxy and the certificates of a person's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from launchpad.bucket.address import NETWORK, use_network
from launchpad.system import dotenv_file


def test_what_was_written_for_the_network_is_used_where_the_environment_says_nothing(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*NETWORK, *(name.lower() for name in NETWORK)):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
    certificates = tmp_path / "ä.pem"
    certificates.write_text("x")
    dotenv_file.set_proxy("proxy.example", 8080, "http", str(certificates), no_ssl_verify=False)
    monkeypatch.setenv("https_proxy", "http://mine:1")
    use_network(None)
    assert os.environ["HTTP_PROXY"] == "http://proxy.example:8080"
    assert os.environ["HTTPS_PROXY"] == ""
    assert os.environ["SSL_CERT_FILE"] == str(certificates)
    monkeypatch.setenv("HTTP_PROXY", "")
    use_network("http://settings:2")
    assert os.environ["HTTP_PROXY"] == "http://settings:2"
