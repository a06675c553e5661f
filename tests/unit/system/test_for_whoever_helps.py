"""Preferences, the diagnostic report, caches, licences, and the parts of the health that look at others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from launchpad import paths
from launchpad.errors import SettingsError
from launchpad.platform import Client
from launchpad.platform.http import clock_offset
from launchpad.system import diagnostics, health, licences, preferences
from platform_that_says import Says, serve


def test_a_setting_is_written_beside_what_stands_there(data_dir: Path) -> None:
    file = paths.settings_file()
    file.parent.mkdir(parents=True)
    file.write_text('# mine\nlog_level = "DEBUG"\nproxy = "http://old:1"\n')
    settings = preferences.write_setting("proxy", "http://new:8080")
    assert settings.proxy == "http://new:8080"
    assert file.read_text() == '# mine\nlog_level = "DEBUG"\nproxy = "http://new:8080"\n'
    assert preferences.write_setting("upload_bytes_per_second", 5e6).upload_bytes_per_second == 5e6
    with pytest.raises(SettingsError):
        preferences.write_setting("transfer_connections", 99)
    assert "transfer_connections" not in file.read_text()
    assert preferences.write_setting("proxy", None).proxy is None
    assert "# mine" in file.read_text()


def test_the_report_holds_no_secret_and_no_name(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPAD_TOKEN", "very-secret-token")
    folder = paths.ensure_private(paths.log_dir())
    (folder / "desktop.log").write_text(
        f"Authorization: Bearer abcdef.123\nGET https://s/x?X-Goog-Signature=abc&y=1 done\nmail mara@example.org\n"
        f"{Path.home()}/slides/a.svs\ntoken=hunter2 run 1 goes on\n"
    )
    text = diagnostics.report(health.Health({"disk": health.Component("UP")}))
    for secret in ("very-secret-token", "abcdef.123", "X-Goog-Signature", "mara@example.org", "hunter2"):
        assert secret not in text, secret
    if len(str(Path.home())) > 1:
        assert f"{Path.home()}/slides" not in text
    assert "run 1 goes on" in text
    assert '"disk"' in text
    assert "openslide" in text


def test_only_caches_are_cleared(data_dir: Path) -> None:
    folder = paths.cache_dir() / "thumbnails"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"12345")
    assert diagnostics.folder_size(folder) == 5
    assert diagnostics.clear_cache(folder) == 1
    assert diagnostics.folder_size(folder) == 0
    with pytest.raises(ValueError, match="results"):
        diagnostics.clear_cache(paths.results_dir())


def test_all_parts_are_named_with_their_licences() -> None:
    found = {licence.name.lower(): licence for licence in licences.packages()}
    assert {"pydantic", "httpx", "numpy", "openslide-python", "shiboken6"} <= set(found)
    assert "pytest" not in found
    assert "BSD" in found["httpx"].licence
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in found["shiboken6"].text, "its package brings none"
    assert not [name for name, licence in found.items() if not licence.text]
    assert all(licence.licence for licence in found.values())
    assert [licence.licence for licence in licences.shipped()] == ["OFL-1.1", "ISC", "CC0-1.0"]


@pytest.mark.parametrize(("offset", "status"), [(0, "UP"), (-300, "DEGRADED"), (4000, "DOWN")])
def test_a_clock_that_is_wrong(data_dir: Path, monkeypatch: pytest.MonkeyPatch, offset: float, status: str) -> None:
    with serve(Says("normal")) as address:
        monkeypatch.setenv("LAUNCHPAD_API_ROOT", address)
        monkeypatch.setenv("LAUNCHPAD_STORAGE_ENDPOINT", address)
        monkeypatch.setenv("LAUNCHPAD_TOKEN", "told")
        with Client() as client:
            found = health.check(client)
            assert found.components["clock"].status == "UP"
            assert found.components["storage"].status == "UP"
            client.api.clock_offset = offset
            part: Any = health._clock(client)
    assert part.status == status
    assert bool(part.remedy) == (status != "UP")


def test_a_storage_that_is_away_is_down(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(Says("normal")) as address:
        monkeypatch.setenv("LAUNCHPAD_API_ROOT", address)
        monkeypatch.setenv("LAUNCHPAD_STORAGE_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setenv("LAUNCHPAD_TOKEN", "told")
        with Client() as client:
            found = health.check(client)
    assert found.components["storage"].status == "DOWN"
    assert "http://127.0.0.1:9" in found.reason
    assert not found.healthy


def test_what_the_header_says_of_the_clock() -> None:
    assert clock_offset("Fri, 20 Nov 2026 08:30:10 GMT", 1795163400.0) == 10
    assert clock_offset("", 0) is None
    assert clock_offset("yesterday", 0) is None
