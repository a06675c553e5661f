"""Health names what is wrong and what to do; information and logs keep secrets."""

from __future__ import annotations

import logging
from collections import namedtuple
from pathlib import Path

import pytest

from launchpad import paths
from launchpad.errors import LaunchpadError
from launchpad.platform import Client
from launchpad.system import health, information
from launchpad.system.logging import follow_level, record_crash, set_up, tear_down

Usage = namedtuple("Usage", "total used free")


@pytest.mark.usefixtures("platform_endpoint")
def test_a_running_platform_is_up() -> None:
    with Client() as client:
        found = health.check(client)
    assert found.status == "UP", found.document()
    assert found.healthy
    assert found.reason == ""
    document = found.document()
    assert list(document) == ["status", "reason", "components", "uptime_statistics"]
    assert {"platform", "sign-in", "storage", "disk", "clock", "checksums", "slides"} == set(found.components)


@pytest.mark.usefixtures("data_dir")
def test_a_platform_that_is_away_is_down_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPAD_API_ROOT", "http://127.0.0.1:9")
    monkeypatch.setenv("LAUNCHPAD_TOKEN", "a")
    with Client() as client:
        found = health.check(client)
    assert found.status == "DOWN"
    assert not found.healthy
    assert "http://127.0.0.1:9" in found.reason
    assert found.components["platform"].remedy


def test_what_the_error_says_without_a_client() -> None:
    found = health.unreachable(LaunchpadError("It does not start", "No port.", "Restart.", "the platform"))
    assert found.components["platform"] == health.Component(
        "DOWN", "It does not start: the platform. No port.", "Restart."
    )


@pytest.mark.parametrize(("free", "status"), [(50 << 20, "DOWN"), (1 << 30, "DEGRADED"), (9 << 30, "UP")])
@pytest.mark.usefixtures("data_dir")
def test_a_full_disk(monkeypatch: pytest.MonkeyPatch, free: int, status: str) -> None:
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: Usage(1 << 40, 0, free))
    found = health.unreachable(LaunchpadError("x"))
    assert found.components["disk"].status == status
    assert bool(found.components["disk"].remedy) == (status != "UP")


def test_degraded_counts_as_healthy() -> None:
    found = health.Health({"a": health.Component("UP"), "b": health.Component("DEGRADED", "slow", "wait")})
    assert (found.status, found.reason, found.healthy) == ("DEGRADED", "slow", True)


@pytest.mark.usefixtures("data_dir")
def test_information_masks_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPAD_TOKEN", "very-secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:very-secret@proxy:8080")
    monkeypatch.setenv("SOME_PASSWORD", "very-secret")
    monkeypatch.setenv("SOME_WORD", "plain")
    masked = information.collect(include_environ=True)
    assert "very-secret" not in str(masked)
    environ = masked["environ"]
    assert isinstance(environ, dict)
    assert environ["HTTPS_PROXY"] == "http://***@proxy:8080"
    assert environ["SOME_WORD"] == "plain"
    assert "environ" not in information.collect()
    settings = information.collect(mask_secrets=False)["settings"]
    assert isinstance(settings, dict)
    assert settings["token"] == "very-secret"


def test_logs_are_private_and_crashes_say_where_not_what(data_dir: Path) -> None:
    handler = set_up("INFO", "test")
    logging.getLogger("launchpad.anything").info("run 1 goes on")
    logging.getLogger("launchpad.anything").debug("/slides/of a patient.svs")
    tear_down(handler)
    text = (paths.log_dir() / "test.log").read_text()
    assert "run 1 goes on" in text
    assert "patient" not in text

    try:
        (data_dir / "a patient.svs").read_bytes()
    except OSError as error:
        file = record_crash(error, "crash")
    text = file.read_text()
    assert "FileNotFoundError" in text
    assert "test_system.py" in text
    assert "patient.svs" not in text.replace('"a patient.svs"', "")  # our own source line, not the message
    assert not logging.getLogger("launchpad").handlers


def test_the_log_says_as_much_as_the_settings_want(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = set_up("INFO", "level")
    try:
        monkeypatch.setenv("AIGNOSTICS_LOG_LEVEL", "DEBUG")
        follow_level()
        logging.getLogger("launchpad.anything").debug("in detail")
        monkeypatch.setenv("AIGNOSTICS_LOG_LEVEL", "LOUD")
        follow_level()  # said elsewhere
        logging.getLogger("launchpad.anything").debug("still in detail")
    finally:
        tear_down(handler)
    text = (paths.log_dir() / "level.log").read_text()
    assert "in detail" in text
    assert "still in detail" in text
