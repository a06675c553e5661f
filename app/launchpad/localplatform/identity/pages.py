"""The issuer's web pages: no scripts, nothing loaded, in no frame of another page."""

from __future__ import annotations

import secrets
from html import escape

from fastapi.responses import HTMLResponse

_STYLE = """
:root { color-scheme: light dark; --text: #18202b; --muted: #566172; --back: #f5f6f8; --card: #ffffff;
  --line: #c3cad4; --accent: #2457c5; --on: #ffffff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e8ecf2; --muted: #a3aebf; --back: #14171c; --card: #1c2027;
  --line: #485264; --accent: #82aaff; --on: #0c1730; --bad: #ff8a80; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); margin: 0; }
main { max-width: 30rem; margin: 12vh auto 2rem; padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; }
h1 { font-size: 1.25rem; margin: 0 0 .75rem; } p { margin: 0 0 .9rem; overflow-wrap: anywhere; }
.muted { color: var(--muted); } .bad { color: var(--bad); font-weight: 600; }
label { display: block; font-weight: 600; margin: 0 0 .3rem; }
input[type=text] { font: 600 1.2rem/1.4 ui-monospace, monospace; letter-spacing: .1em; width: 100%;
  box-sizing: border-box; padding: .45rem .6rem; margin: 0 0 1rem; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: 6px; text-transform: uppercase; }
button { font: 600 1rem system-ui, sans-serif; padding: .5rem 1.1rem; border-radius: 6px; cursor: pointer;
  border: 1px solid var(--line); background: transparent; color: inherit; margin-right: .5rem; }
button.first { background: var(--accent); border-color: var(--accent); color: var(--on); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code { font-family: ui-monospace, monospace; }
"""


def notice(title: str, words: str, *, status: int = 200) -> HTMLResponse:
    """A page that says something."""
    return _page(title, f"<p>{escape(words)}</p>", status=status)


def consent(
    *,
    action: str,
    hidden: dict[str, str],
    who: str,
    goes_to: str = "",
    user_code: str | None = None,
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    """The question whether an application may use the platform, with the fields that a person fills in."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in hidden.items()
    )
    device = ""
    if user_code is not None:
        device = (
            '<label for="user_code">The code that the other device shows</label>'
            f'<input type="text" id="user_code" name="user_code" value="{escape(user_code)}" autocomplete="off"'
            ' spellcheck="false" required>'
        )
    target = f'<p class="muted">The answer goes to {escape(goes_to)}</p>' if goes_to else ""
    bad = f'<p class="bad" role="alert">{escape(problem)}</p>' if problem else ""
    body = (
        f"<p><strong>{escape(who)}</strong> asks to use the platform on this computer in your name: its applications, "
        "runs and results.</p>"
        f"{target}{bad}"
        f'<form method="post" action="{escape(action)}">{fields}{device}'
        '<label for="code">The code that Launchpad shows</label>'
        '<input type="text" id="code" name="code" autocomplete="one-time-code" spellcheck="false" maxlength="12"'
        " autofocus>"
        '<p class="muted">It is in the window of Launchpad, and <code>launchpad platform code</code> prints it. '
        "If you did not begin this yourself, refuse.</p>"
        '<button class="first" name="answer" value="allow">Allow</button>'
        '<button name="answer" value="refuse" formnovalidate>Refuse</button></form>'
    )
    return _page("Let an application in?", body, status=status, goes_to=goes_to)


def _page(title: str, body: str, *, status: int, goes_to: str = "") -> HTMLResponse:
    nonce = secrets.token_urlsafe(12)
    # Browsers apply form-action also to where the answer of a form leads; an IPv6 address cannot be written there.
    target = " http:" if "[" in goes_to else f" {goes_to}" if goes_to else ""
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'{target}; frame-ancestors 'none'; "
        "base-uri 'none'"
    )
    # With no referrer at all browsers would send `Origin: null` with the form, which is refused.
    document = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="referrer" content="same-origin">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)} – Launchpad</title><style nonce="{nonce}">{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    return HTMLResponse(document, status_code=status, headers=headers)
