"""Copies of notebooks belong to the person: nothing that was changed is lost, and nothing new is withheld."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from launchpad.errors import LaunchpadError
from launchpad.notebook import environment, service, templates

ROOT = Path(__file__).parents[3]


def test_a_copy_that_nobody_changed_follows_the_template(tmp_path: Path) -> None:
    path = tmp_path / "made" / "a.py"
    assert templates.place_file(b"first", path) == templates.Placed(path)
    assert templates.place_file(b"second", path) == templates.Placed(path)
    assert path.read_bytes() == b"second"


def test_a_changed_copy_stays_and_a_newer_template_becomes_a_second_file(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    templates.place_file(b"first", path)
    path.write_bytes(b"mine")
    assert templates.place_file(b"first", path) == templates.Placed(path)  # nothing is newer
    second = templates.Placed(path, tmp_path / "a_2.py")
    assert templates.place_file(b"second", path) == second
    assert templates.place_file(b"second", path) == second  # once
    assert templates.place_file(b"third", path).newer == tmp_path / "a_3.py"
    assert path.read_bytes() == b"mine"
    assert [(tmp_path / f"a_{number}.py").read_bytes() for number in (2, 3)] == [b"second", b"third"]


def test_a_file_that_was_there_before_us_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"somebody's")
    assert templates.place_file(b"first", path).newer == tmp_path / "a_2.py"
    (tmp_path / ".templates.json").write_text("not json")
    (tmp_path / "a_2.py").write_bytes(b"changed")
    assert templates.place_file(b"first", path).newer == tmp_path / "a_3.py"
    assert path.read_bytes() == b"somebody's"


def test_override_replaces_a_changed_copy_and_keeps_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    for text in (b"mine", b"mine again"):
        path.write_bytes(text)
        assert templates.place_file(b"first", path, override=True) == templates.Placed(path)
        assert path.read_bytes() == b"first"
    assert (tmp_path / "a_before.py").read_bytes() == b"mine"
    assert (tmp_path / "a_before2.py").read_bytes() == b"mine again"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LaunchpadError, match=r"cannot be written.*file"):
        templates.place_file(b"first", tmp_path / "file" / "a.py")


def test_the_example_is_the_template(data_dir: Path) -> None:
    example = (ROOT / "examples" / "notebook.py").read_bytes()
    assert example == templates.template(templates.SIGN_IN_TO_DOWNLOAD).read_bytes()
    assert service.prepare_own().path.read_bytes() == example
    assert service.prepare_own().path.parent == data_dir / "notebooks"


def test_the_environment_has_what_the_extra_has() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = document["project"]["optional-dependencies"]
    assert [item for item in extras["notebook"] if "PySide6" not in item] == list(environment.REQUIREMENTS)
    assert extras["marimo"] == ["pathology-launchpad[notebook]"]
