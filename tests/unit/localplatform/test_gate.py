"""The depth of JSON, found without parsing it; and what the log leaves out."""

from __future__ import annotations

import json
import logging
import random
from pathlib import Path

import pytest

from launchpad.localplatform.gate import depth
from launchpad.localplatform.logs import log_to


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        (b"[" * 100 + b"]" * 100, 100),
        (b'{"a":' * 100 + b"1" + b"}" * 100, 100),
        (b'{"a": "' + b"[{" * 500 + b'"}', 1),
        (json.dumps({"a": '\\"[[' * 300, "b": [[1]]}).encode(), 3),
        (json.dumps([[number] for number in range(100)]).encode(), 2),
        (b"[" * 100_000, 100_000),
        (b"]" * 100 + b"[" * 70, 0),
    ],
)
def test_depth(text: bytes, levels: int) -> None:
    assert depth(text) == levels


def test_depth_of_documents_by_chance() -> None:
    chance = random.Random(6)

    def grow(left: int) -> tuple[object, int]:
        if left == 0:
            return chance.choice(['a"[{\\', "]}", 1, None, "ä\n"]), 0
        inner, levels = grow(left - 1)
        wide = [f"{number}[{{\\" for number in range(30)]
        return ({"k[": inner, "w": wide} if chance.random() < 0.5 else [inner, wide]), levels + 1

    for levels in range(1, 60):
        document, own = grow(levels)
        text = json.dumps(document, ensure_ascii=chance.random() < 0.5).encode()
        found = depth(text)
        assert found in (0, own + 1), text  # the wide list is one level deeper than the innermost document
        assert found == 0 or len(json.loads(text))


def test_the_log_is_lines_of_json_without_secrets_and_words_of_errors(tmp_path: Path) -> None:
    file = tmp_path / "platform.log"
    logger = logging.getLogger("launchpad")
    before, level = list(logger.handlers), logger.level
    other = logging.getLogger("uvicorn")
    others, other_level = list(other.handlers), other.level
    try:
        log_to(file, "INFO")
        own = logging.getLogger("launchpad.localplatform.test")
        own.info("item %s", "17", extra={"run_id": "r1"})
        own.info("GET /a?X-Amz-Signature=abcdef0123&X-Amz-Credential=KEY%2Fx and Bearer abc.def refresh lprt_q-1")
        own.info("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl end")
        name = "".join(reversed("rellüM"))  # not in the lines of this file that the log shows
        try:
            try:
                raise FileNotFoundError(2, "No such file", f"/slides/{name}.svs")
            except OSError as error:
                raise ValueError(name) from error
        except ValueError:
            own.exception("item 18 failed")
        logging.getLogger("launchpad").debug("not at this level")
    finally:
        for one, handlers, old in ((logger, before, level), (other, others, other_level)):
            for handler in set(one.handlers) - set(handlers):
                one.removeHandler(handler)
                handler.close()
            one.setLevel(old)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 4
    assert (lines[0]["message"], lines[0]["run_id"], lines[0]["level"]) == ("item 17", "r1", "INFO")
    text = file.read_text(encoding="utf-8")
    for secret in ("abcdef0123", "KEY%2Fx", "abc.def", "lprt_q", "eyJ", "Müller"):
        assert secret not in text
    assert "ValueError" in lines[3]["error"]
    assert "because of FileNotFoundError: No such file" in lines[3]["error"]
    assert file.stat().st_mode & 0o777 == 0o600
