"""The poller is quick while something moves and slow when nothing does."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from launchpad.application import Service
from launchpad.application.monitor import Monitor
from launchpad.application.states import has_ended, run_state
from launchpad.errors import Unreachable
from launchpad.platform import Client


@pytest.mark.usefixtures("platform_endpoint")
def test_it_follows_a_run_to_its_end(sample_svs: Path, tmp_path: Path) -> None:
    shutil.copy(sample_svs, tmp_path)
    with Service() as service:
        monitor = Monitor(service.client)
        assert monitor.poll().runs == ()
        rows = service.generate_metadata_from_source_directory(tmp_path, "test-app")
        assert service.application_run_upload("test-app", rows)
        run = service.application_run_submit_from_metadata("test-app", rows)
        monitor.hurry()
        seen = []
        end = time.monotonic() + 60
        while time.monotonic() < end:
            snapshot = monitor.poll()
            if run.run_id in snapshot.changed:
                seen.append(run_state(snapshot.runs[0]).key)
            assert monitor.next_delay() == 2.0 or has_ended(snapshot.runs[0])
            if has_ended(snapshot.runs[0]):
                break
            time.sleep(0.05)
        assert seen[-1] == "completed"

        # Nothing moves now: it looks less and less often, and nothing is new.
        delays = []
        for _ in range(12):
            assert not monitor.poll().changed
            delays.append(monitor.next_delay())
        assert delays == sorted(delays)
        assert delays[0] > 2.0
        assert delays[-1] == 60.0
        monitor.hurry()
        assert monitor.next_delay() == 2.0


@pytest.mark.usefixtures("data_dir")
def test_it_backs_off_while_the_platform_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPAD_API_ROOT", "http://127.0.0.1:9")
    monkeypatch.setenv("LAUNCHPAD_TOKEN", "a")
    with Client() as client:
        monitor = Monitor(client)
        for delay in (4.0, 8.0):
            with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
                monitor.poll()
            assert monitor.next_delay() == delay
