"""The API explorer: all that its page refers to comes from the platform, and nothing may run that does not."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from launchpad import paths


class References(HTMLParser):
    """Addresses that a page loads, and what would need an inline script or style."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag in ("script", "link", "img"):
            address = names.get("src") or names.get("href")
            if address:
                self.loaded.append(address)
            else:
                self.inline.append(tag)
        if tag == "style":
            self.inline.append(tag)
        self.inline += [name for name in names if name.startswith("on") or name == "style"]


@pytest.fixture(scope="module")
def root(platform_endpoint: Any) -> str:
    return str(platform_endpoint.api_root)


def get(url: str) -> httpx.Response:
    answer = httpx.get(url, trust_env=False)
    assert answer.status_code == 200, url
    return answer


def test_the_page_and_all_that_it_refers_to_come_from_the_platform_without_a_token(root: str) -> None:
    page = get(f"{root}/docs")
    assert page.headers["content-type"].startswith("text/html")
    found = References()
    found.feed(page.text)
    assert found.inline == []
    assert len(found.loaded) == 5
    kinds = {"css": "text/css", "js": "text/javascript", "png": "image/png"}
    for address in found.loaded:
        url = urljoin(f"{root}/docs", address)
        assert url.startswith(f"{root}/docs/")
        part = get(url)
        assert part.headers["content-type"].split(";")[0] == kinds[address.rsplit(".", 1)[1]]
        assert part.headers["x-content-type-options"] == "nosniff"
        if address.endswith(".css"):  # its pictures are within it
            assert all(target.startswith("data:") for target in re.findall(r"url\(['\"]?([^)]{5})", part.text))
            assert "@import" not in part.text
    script = get(f"{root}/docs/explorer.js").text
    assert re.findall(r'fetch\("([^"]+)"\)', script) == ["/openapi.json"]
    assert get(f"{root}/openapi.json").json()["paths"]


def test_the_content_security_policy_allows_own_files_only(root: str) -> None:
    for path in ("/docs", "/docs/explorer.js", "/docs/swagger-ui.css"):
        policy = get(f"{root}{path}").headers["content-security-policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
        assert "unsafe" not in policy
        assert "http" not in policy


def test_no_other_file_is_served(root: str) -> None:
    for name in ("LICENSE", "..%2FLICENSES.md", "index.html", "nothing.js"):
        assert httpx.get(f"{root}/docs/{name}", trust_env=False).status_code == 404


def test_its_licence_lies_beside_it() -> None:
    assert "Apache License" in paths.resource("api_explorer", "LICENSE").read_text(encoding="utf-8")
    assert "api_explorer" in paths.resource("LICENSES.md").read_text(encoding="utf-8")
