"""A person with a browser, as far as the issuer's pages need one: forms and cookies, no scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx


@dataclass
class Page:
    """What a page says, and its form."""

    status: int
    text: str
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action, self.fields, self.words, self._style = "", {}, [], False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._style = tag == "style"
        if tag == "form":
            self.action = values["action"] or ""
        if tag == "input":
            self.fields[values["name"] or ""] = values.get("value") or ""

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.words.append(data.strip())


class Browser:
    """Opens pages of one origin and sends their forms as a browser does."""

    def __init__(self) -> None:
        self.http = httpx.Client(trust_env=False, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def open(self, url: str, **headers: str) -> Page | str:
        """The page, or where it leads."""
        return self._look(self.http.get(url, headers=headers))

    def send(self, url: str, page: Page, **fields: str) -> Page | str:
        """Fill in the form of a page and press a button; the next page, or where it leads."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        target = f"{origin}{page.action}"
        return self._look(self.http.post(target, data=page.fields | fields, headers={"Origin": origin}))

    @staticmethod
    def _look(answer: httpx.Response) -> Page | str:
        if answer.has_redirect_location:
            return str(answer.headers["Location"])
        reader = _Reader()
        reader.feed(answer.text)
        return Page(answer.status_code, " ".join(filter(None, reader.words)), reader.action, reader.fields)


def codes(endpoint: Any) -> list[dict[str, Any]]:
    """The one-time codes that wait, newest first."""
    headers = {"X-Launchpad-Launch-Secret": endpoint.launch_secret}
    answer = httpx.get(f"{endpoint.api_root}/identity/codes", headers=headers, trust_env=False)
    answer.raise_for_status()
    return list(answer.json()["codes"])


def agree(endpoint: Any, url: str) -> str:
    """What a person does: open the page, look up the code, allow. Where the browser is led to."""
    with Browser() as browser:
        page = browser.open(url)
        assert isinstance(page, Page), page
        code = codes(endpoint)[0]["code"]
        assert code not in page.text
        where = browser.send(url, page, code=code, answer="allow")
    assert isinstance(where, str), where
    return where


def answer_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
