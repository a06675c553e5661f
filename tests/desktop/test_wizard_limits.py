"""The wizard on a platform with limits: the review says what is used, and that several runs are sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from desktop_bench import Bench, until
from launchpad.desktop.navigation import RunPage


@pytest.fixture(scope="module")
def platform_endpoint(module_data_dir: Path) -> Iterator[object]:
    """A platform where a run has one slide, and a user three slides a month."""
    from launchpad.platform import embedded

    folder = module_data_dir / "platform"
    folder.mkdir()
    (folder / "platform.toml").write_text("items_per_run = 1\nslides_per_month_user = 3\n")
    yield embedded.ensure_running()
    embedded.release()
    assert embedded.stop()


def test_the_review_tells_limits_and_runs_before_the_upload(bench: Bench, small_tiff: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "two slides"
    folder.mkdir()
    for number in range(2):
        shutil.copy(small_tiff, folder / f"{number}.tiff")

    def limits(page: Any) -> QLabel:
        found = page.findChild(QLabel, "submit_limits")
        assert isinstance(found, QLabel)
        return found

    async def work() -> None:
        page = await bench.page()
        page.open_step(2)
        field = page.findChild(QLineEdit, "source_path")
        field.setText(str(folder))
        QTest.keyClick(field, Qt.Key.Key_Return)
        await until(lambda: page.model.scan is None)
        ids = [slide.id for slide in page.model.draft.slides]
        for key, value in (("tissue", "LUNG"), ("disease", "LUNG_CANCER"), ("staining_method", "H&E")):
            assert page.model.slides.set_text(ids, key, value) == []
        page.open_step(6)
        assert page.step == 6
        await until(lambda: limits(page).isVisible())
        words = limits(page).text()
        assert "0 of your 3 slides this month are used" in words
        assert "2 slides are sent as 2 runs with the tag “batch-" in words
        assert "does not suffice" not in words
        QTest.mouseClick(page.findChild(QPushButton, "wizard_submit"), Qt.MouseButton.LeftButton)
        await until(lambda: page.submission.run_id)
        assert bench.went == [RunPage(page.submission.run_id)]
        again = await bench.page()
        again.model.add_sources([folder])
        await until(lambda: again.model.scan is None)
        again.model.slides.set_text([slide.id for slide in again.model.draft.slides], "tissue", "LUNG")
        again.review.show()
        again.review.enter()
        await until(lambda: again.review.findChild(QPushButton, "fix_quota"))
        told = [item.toolTip() for item in again.review.findChildren(QLabel)]
        assert any("The quota does not suffice. 2 more slide(s) are too many" in text for text in told)

    bench.run(work())
