"""The documentation: its links resolve, its code runs, and its generated pages say what the code says."""

from __future__ import annotations

import importlib.util
import io
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from launchpad.cli.app import app
from launchpad.cli.errors import guarded

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
BLOCK = re.compile(r"(?:^<!-- not run: (?P<reason>.+) -->\n)?^```(?P<kind>\w*)\n(?P<code>.*?)^```$", re.M | re.S)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


@pytest.fixture(scope="module")
def reference() -> dict[str, str]:
    """The pages that are made from the code."""
    spec = importlib.util.spec_from_file_location("docs_reference", DOCS / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages: dict[str, str] = module.generated()
    return pages


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in heads}


def test_every_internal_link_resolves_and_external_ones_are_listed(reference: dict[str, str]) -> None:
    texts = {page.name: page.read_text(encoding="utf-8") for page in PAGES} | reference
    external, broken = set(), []
    for name, text in texts.items():
        if name in reference:
            continue
        for target in (match["target"] for match in LINK.finditer(BLOCK.sub("", text))):
            if "://" in target:
                external.add(target)
                continue
            file, _, anchor = target.partition("#")
            found = not file or file in texts or (DOCS / file).is_file()
            if not found or (anchor and anchor not in anchors(texts[file or name])):
                broken.append(f"{name}: {target}")
    assert not broken
    assert sorted(external) == (DOCS / "external-links.txt").read_text().split()


def test_every_page_is_in_the_navigation(reference: dict[str, str]) -> None:
    named = set(re.findall(r"([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M))
    assert named == {page.name for page in PAGES} | set(reference)


def test_the_reference_names_every_command_and_error(reference: dict[str, str]) -> None:
    for words in ("launchpad application run execute", "launchpad mcp run", "launchpad wsi dicom geojson\\_import"):
        assert f"## {words}\n" in reference["cli.md"] or f"## {words.replace(chr(92), '')}\n" in reference["cli.md"]
    assert "`--mapping`" in reference["cli.md"]
    assert "### Client\n" in reference["library.md"]
    assert (
        "#### Client.application\\_version" in reference["library.md"]
        or "#### Client.application_version" in (reference["library.md"])
    )
    assert "## The settings are not valid" in reference["troubleshooting.md"]


def here(words: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["launchpad", *words]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = guarded(lambda: app(words, standalone_mode=False, prog_name="launchpad"))
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("page", [page for page in PAGES if "```" in page.read_text(encoding="utf-8")], ids=str)
def test_every_code_block_of_a_page_runs(
    page: Path, platform_endpoint: object, module_data_dir: Path, small_tiff: Path
) -> None:
    slides = module_data_dir / "slides"
    if not slides.exists():
        slides.mkdir()
        shutil.copy(small_tiff, slides / "small.tiff")
    run_id = ""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["reason"]:
            continue
        if block["kind"] == "python":
            with redirect_stdout(io.StringIO()):
                exec(compile(block["code"], page.name, "exec"), {"__name__": "documentation"})
            continue
        assert block["kind"] == "shell", f"{page.name}: a block of “{block['kind']}” must run or say why it does not"
        for line in block["code"].replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if not words:
                continue
            assert words[0] == "launchpad", line
            code, out, err = here([run_id if word == "RUN_ID" else word for word in words[1:]])
            assert code == 0, f"{page.name}: {line}\n{out}\n{err}"
            found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", out)
            run_id = found[0] if found and "submit" in words else run_id


@pytest.mark.long
def test_the_help_builds_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    site = tmp_path / "help"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for page in site.glob("*.html"):
        loaded = re.findall(r"<(?:script|link|img)\b[^>]*\b(?:src|href)=\"(https?:[^\"]+)", page.read_text())
        assert not loaded, page.name
