"""The documentation: its links resolve, its code runs, and its generated pages say what the code says."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest

from documentation import BLOCK, DOCS, ROOT, anchors, hook
from launchpad.cli.app import app
from launchpad.cli.errors import guarded

from contract.test_library_parity import NAMES

PAGES = sorted(DOCS.glob("*.md"))
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


@pytest.fixture(scope="module")
def reference() -> dict[str, str]:
    """The pages that are made from the code."""
    pages: dict[str, str] = hook("reference").generated()
    return pages


@pytest.fixture(scope="module")
def texts(reference: dict[str, str]) -> dict[str, str]:
    """Every page as Markdown, with what the hooks put into it."""
    found = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    for module in map(hook, ("parity", "errors")):
        found = {name: module.on_page_markdown(text, None, None, None) for name, text in found.items()}
    return found | reference


def test_every_internal_link_resolves_and_external_ones_are_listed(texts: dict[str, str]) -> None:
    external, broken = set(), []
    for name, text in texts.items():
        for target in (match["target"] for match in LINK.finditer(CODE.sub("", BLOCK.sub("", text)))):
            if "://" in target:
                external.add(target)
                continue
            file, _, anchor = target.partition("#")
            found = not file or file in texts or (DOCS / file).is_file()
            if not found or (anchor and anchor not in anchors(texts[file or name])):
                broken.append(f"{name}: {target}")
    assert not broken
    assert sorted(external) == (DOCS / "external-links.txt").read_text().split()


def test_no_page_has_an_address_that_is_no_link_or_example(texts: dict[str, str]) -> None:
    listed = set((DOCS / "external-links.txt").read_text().split())
    for name, text in texts.items():
        words = LINK.sub("", CODE.sub("", BLOCK.sub("", text)))
        found = {word.rstrip(".,;)”") for word in re.findall(r"https?://[^\s|]+", words)} - listed
        assert not [word for word in found if not re.search(r"//([\w.:-]*example\.org|localhost|name:)", word)], name


def test_every_page_is_in_the_navigation(reference: dict[str, str]) -> None:
    named = set(re.findall(r"([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M))
    assert named == {page.name for page in PAGES} | set(reference)


def test_the_reference_names_every_command_and_option_but_hidden_ones(reference: dict[str, str]) -> None:
    page = reference["cli.md"]
    for words, command in hook("reference").commands():
        assert re.search(rf"^##+ {words}$", page, re.M), words
        for item in command.params:
            shown = any(f"`{name}" in page or f" {name}" in page for name in item.opts) or "completion" in item.name
            assert shown or item.hidden or item.param_type_name == "argument" or "completion" in item.name, (
                f"{words} {item.opts}"
            )
    assert "`--quiet / -q`" in page
    assert "--output-format" not in page
    assert "--install-completion" not in page.partition("## launchpad application")[2]
    assert "One of `text`, `json`." in page
    assert "From 1 to 8." in page


def test_the_reference_names_every_package_and_its_names(reference: dict[str, str]) -> None:
    page = reference["library.md"]
    for package, names in NAMES.items():
        part = page.partition(f"## launchpad.{package}\n")[2].partition("\n## ")[0]
        assert part, package
        for name in names.split():
            assert f"### {name}\n" in part.replace("\\", ""), f"{package}.{name}"
    assert "#### Client.application" in page
    assert "`application_version(self, application_id: str, version_number: str | None = None" in page


def test_every_error_that_a_person_can_meet_is_listed_with_what_to_do(texts: dict[str, str]) -> None:
    errors = hook("errors")
    found, unread = errors.collect()
    # Words of the parser of commands, and errors that are raised anew as another kind.
    known = {"cli/errors.py", "localplatform/guarded.py", "platform/auth/profiles.py"}
    assert {place.file for place in unread} == known, (
        "the title of an error cannot be read from the code: write it as a text, or teach docs/errors.py"
    )
    more = errors.extra()
    assert not set(more) - set(found), "there is no such error any more"
    without = [title for title, entry in found.items() if not entry.advice and title not in more]
    assert not without, "say what to do, in the code or in docs/errors.toml"
    page = texts["troubleshooting.md"]
    for title, entry in found.items():
        head = f"### {errors._text(title)}\n"
        assert head in page, title
        assert page.partition(head)[2].lstrip().startswith("- "), f"{title}: nothing to do {entry}"
    places = list(errors.places().values())
    assert len(set(places)) == len(places), "two errors would have one anchor: say one of them in other words"


@pytest.mark.parametrize(
    ("title", "advice"),
    [
        ("The settings are not valid", "Correct what stands in"),
        ("The platform is asked too often", "Wait a minute"),  # from a table
        ("Too many of your runs are under way", "Wait until one of them has ended, or cancel one."),  # by the quota
        ("The picture cannot be read", "Download it again"),  # given to the function that makes it
        ("The question takes too long", "Ask for less."),  # one of two
        ("The profile has no …", "Say it by"),  # with a value
    ],
)
def test_errors_are_found_however_they_are_written(title: str, advice: str) -> None:
    entry = hook("errors").collect()[0][title]
    assert any(advice in text for text in entry.advice)


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
    page: Path, platform_endpoint: object, module_data_dir: Path, small_tiff: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = module_data_dir / "home"  # of nobody who used the old SDK
    for name in ("HOME", "USERPROFILE", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home))
    slides = module_data_dir / "slides"
    if not slides.exists():
        slides.mkdir()
        shutil.copy(small_tiff, slides / "small.tiff")
    run_id = ""
    names: dict[str, object] = {"__name__": "documentation"}  # the blocks of a page go on where the one before ended
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["reason"]:
            continue
        if block["kind"] == "python":
            with redirect_stdout(io.StringIO()):
                exec(compile(block["code"], page.name, "exec"), names)
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


def test_every_place_where_launchpad_keeps_something_is_described() -> None:
    page = (DOCS / "file-formats.md").read_text(encoding="utf-8")
    code = ROOT / "app" / "launchpad"
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(code.rglob("*.py")))
    names = set(re.findall(r"paths\.(?:data|cache|log|config)_dir\(\) / \"([^\"]+)\"", text))
    names |= set(re.findall(r"return (?:data|cache|config)_dir\(\) / \"([^\"]+)\"", (code / "paths.py").read_text()))
    names |= set(re.findall(r"self\.root / \"([^\"]+)\"", (code / "localplatform" / "layout.py").read_text()))
    names |= set(re.findall(r"CREATE TABLE (\w+)", (code / "state.py").read_text()))
    names -= {"aignostics"}  # what clients of the old SDK are told to use
    assert len(names) > 30
    assert not [name for name in names if f"`{name}`" not in page and f"`{name}/`" not in page]


def test_the_script_that_the_theme_would_fetch_is_ours() -> None:
    reference = hook("reference")
    head = '<script src="https://unpkg.com/iframe-worker/shim"></script>'
    page = SimpleNamespace(url="guide.html")
    assert reference.on_post_page(head, page, None) == '<script src="offline/iframe-worker.js"></script>'
    assert reference.on_post_page(head, SimpleNamespace(url="a/b.html"), None).startswith('<script src="../offline/')
    assert reference.on_post_template(head, "404.html", None) == '<script src="offline/iframe-worker.js"></script>'
    assert (DOCS / "offline" / "iframe-worker.js").is_file()
    assert "Permission is hereby granted" in (DOCS / "offline" / "LICENSE").read_text()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The help as `make docs` builds it; a folder whose name wants quoting."""
    folder = tmp_path_factory.mktemp("help") / "help ä"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return folder


@pytest.mark.long
def test_the_help_is_whole_small_and_fetches_nothing(site: Path) -> None:
    pages = sorted(site.glob("*.html"))
    assert {page.stem for page in pages} >= {page.stem for page in PAGES}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href|srcset)=\"?([^\"\s>]+)", text)
        assert len(loaded) > 3
        for target in loaded:
            assert "://" not in target, f"{page.name} loads {target}"
            assert (site / target.partition("#")[0].lstrip("/")).exists(), f"{page.name} lacks {target}"
        assert not re.search(r"(fetch|XMLHttpRequest|import)\(['\"]https?:", text)
    links = {link for page in pages for link in re.findall(r"<a\b[^>]*\bhref=\"?(https?:[^\"\s>]+)", page.read_text())}
    assert links == set((DOCS / "external-links.txt").read_text().split())
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", style.read_text(encoding="utf-8")), style.name
    assert not [*site.rglob("*.map"), *site.rglob("*.toml"), *(site / "screenshots").glob("*.png")]
    known = json.loads((site / "errors.json").read_text(encoding="utf-8"))
    there = set(re.findall(r"<h3 id=\"?([\w-]+)", (site / "troubleshooting.html").read_text(encoding="utf-8")))
    assert set(known.values()) == there, "an error of the window leads to no entry"
    used = set(re.findall(r"screenshots/([\w-]+\.webp)", "".join(page.read_text(encoding="utf-8") for page in pages)))
    assert {picture.name for picture in (site / "screenshots").iterdir()} == used, "pictures that no page shows"
    assert sum(file.stat().st_size for file in site.rglob("*")) < 4 << 20


@pytest.mark.long
@pytest.mark.skipif(shutil.which("chromium") is None, reason="wants the browser chromium")
@pytest.mark.parametrize(
    ("words", "found"), [("quota", "Troubleshooting"), ("install-alias", "From the aignostics SDK")]
)
def test_the_search_finds_pages_in_a_browser_without_a_server_or_network(
    site: Path, tmp_path: Path, words: str, found: str
) -> None:
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,800", "--virtual-time-budget=15000"]
    address = f"{(site / 'index.html').as_uri()}?q={words}"
    done = subprocess.run([*command, "--dump-dom", address], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    results = done.stdout.partition('class="md-search-result__list"')[2].partition("</ol>")[0]
    assert found in results, done.stdout[-2000:]
    assert re.search(r"\d+ matching document", done.stdout)
