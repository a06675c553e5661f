"""Errors, progress, paths, settings, state, GeoJSON."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from launchpad import errors, geojson, paths, state
from launchpad.progress import Cancelled, Pace, Progress


def test_an_error_says_what_where_and_what_next() -> None:
    error = errors.SlideError("The slide cannot be read", "It is empty.", "Copy it again.", "a.svs")
    assert str(error) == "The slide cannot be read: a.svs. It is empty. Copy it again."
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.title, again.advice, again.subject) == (
        errors.SlideError,
        "The slide cannot be read",
        "Copy it again.",
        "a.svs",
    )
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.LaunchpadError, 1),
        (errors.BadInput, 2),
        (errors.NotFound, 2),
        (errors.Changed, 3),
        (errors.SettingsError, 78),
        (errors.Unreachable, 1),
    ],
)
def test_exit_codes(kind: type[errors.LaunchpadError], code: int) -> None:
    assert kind("x").exit_code == code


def test_progress_stops_the_worker_at_its_next_report() -> None:
    progress = Progress()
    progress.report(1, 3, "one")
    assert progress.latest == (1, 3, "one")
    progress.cancel()
    with pytest.raises(Cancelled):
        progress.report(2, 3)
    assert progress.latest == (2, 3, "")
    with pytest.raises(Cancelled):
        progress.sleep(60)


def test_sleep_ends_when_cancelled() -> None:
    progress = Progress()
    timer = threading.Timer(0.05, progress.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        progress.sleep(60)
    timer.join()


def test_all_folders_lie_below_the_one_that_is_set(data_dir: Path) -> None:
    for path in (paths.data_dir(), paths.config_dir(), paths.cache_dir(), paths.log_dir(), paths.state_file()):
        assert path == data_dir or data_dir in path.parents


def test_a_home_that_is_unset_is_no_matter() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "LAUNCHPAD_DATA_DIR")}
    code = "from launchpad import paths; print(paths.data_dir().is_absolute())"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_a_resource_is_found() -> None:
    assert json.loads(paths.resource("tokens.json").read_text())["iconStroke"] == 1.75
    with pytest.raises(FileNotFoundError):
        paths.resource("no such thing")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_a_private_file_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    paths.write_private(path, b"one")
    paths.write_private(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_settings_order(data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from launchpad.settings import load_settings

    paths.settings_file().parent.mkdir(parents=True)
    paths.settings_file().write_text('profile = "from toml"\nlog_level = "ERROR"\nrun_timeout = 7\n')
    assert load_settings().profile == "from toml"
    (tmp_path / ".env").write_text("LAUNCHPAD_PROFILE=from-dotenv\nAIGNOSTICS_LOG_LEVEL=WARNING\n")
    assert load_settings().profile == "from-dotenv"
    named = tmp_path / "named.env"
    named.write_text("LAUNCHPAD_PROFILE=from-named\n")
    monkeypatch.setenv("AIGNOSTICS_ENV_FILE", str(named))
    settings = load_settings()
    assert (settings.profile, settings.log_level, settings.run_timeout) == ("from-named", "WARNING", 7)
    monkeypatch.setenv("LAUNCHPAD_PROFILE", "from-environment")
    assert load_settings().profile == "from-environment"


def test_bad_settings_name_the_variable(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from launchpad.settings import load_settings

    monkeypatch.setenv("AIGNOSTICS_RUN_TIMEOUT", "soon")
    with pytest.raises(errors.SettingsError) as caught:
        load_settings()
    assert "AIGNOSTICS_RUN_TIMEOUT" in str(caught.value)
    monkeypatch.setenv("LAUNCHPAD_ENV_FILE", str(data_dir / "missing.env"))
    with pytest.raises(errors.SettingsError, match=r"missing\.env"):
        load_settings()


def test_state_keeps_what_was_committed(data_dir: Path) -> None:
    with closing(state.connect()) as database, database:
        database.execute("INSERT INTO recent VALUES ('folder', '/a', 1)")
    with closing(state.connect()) as database:
        assert [tuple(row) for row in database.execute("SELECT * FROM recent")] == [("folder", "/a", 1)]


def test_state_from_a_newer_version_is_refused(data_dir: Path) -> None:
    with closing(sqlite3.connect(paths.state_file())) as database, database:
        database.execute("PRAGMA user_version = 999")
    with pytest.raises(errors.LaunchpadError, match="newer"):
        state.connect()


def test_damaged_state_names_the_file(data_dir: Path) -> None:
    paths.state_file().write_bytes(b"this is no database" * 100)
    with pytest.raises(errors.LaunchpadError, match=r"state\.sqlite"):
        state.connect()


def test_geojson_goes_round(tmp_path: Path) -> None:
    path = tmp_path / "cells.json"
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    with geojson.FeatureWriter(path, {"launchpad": {"platform": "ä"}}) as writer:
        for number in range(3):
            writer.write(
                geojson.feature(
                    square,
                    object_type="cell",
                    classification=("Tumour-like", (200, 0, 0)),
                    measurements={"Area µm²": number},
                    nucleus_geometry=square,
                )
            )
    assert writer.count == 3
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["launchpad"] == {"platform": "ä"}
    features = list(geojson.read_features(path))
    assert [item["properties"]["measurements"]["Area µm²"] for item in features] == [0, 1, 2]
    assert features[0]["properties"]["classification"] == {"name": "Tumour-like", "color": [200, 0, 0]}
    assert list(tmp_path.iterdir()) == [path]


def test_geojson_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with geojson.FeatureWriter(tmp_path / "x.json") as writer:
            writer.write({"type": "Feature"})
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["no json", "[1, 2]", '{"type": "FeatureCollection"}'])
def test_what_is_no_geojson_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(errors.BadInput, match=r"x\.json"):
        list(geojson.read_features(path))


def test_a_pace_forgets_what_was_long_ago() -> None:
    pace = Pace(window=5.0)
    assert pace.remaining(0, 10) is None
    for second in range(11):
        pace.add(second * 100, now=float(second))
    assert pace.rate == pytest.approx(100)
    assert pace.remaining(1000, 2000) == pytest.approx(10)
    assert pace.remaining(1000, 0) is None
    for second in range(11, 21):
        pace.add(1000, now=float(second))
    assert pace.rate == 0
    assert pace.remaining(1000, 2000) is None
    pace.add(10, now=21.0)  # begun anew
    assert pace.rate == 0
