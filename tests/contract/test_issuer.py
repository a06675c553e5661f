"""The embedded issuer, judged by an OAuth client that is not ours (authlib), and by what must be refused."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt as jose
from joserfc.jwk import KeySet

from a_browser import Browser, Page, agree, answer_of, codes
from launchpad import paths
from launchpad.platform.embedded import command_line

HERE = "http://127.0.0.1:50123/"
SCOPES = "openid profile offline_access"


@pytest.fixture(scope="module", autouse=True)
def many_refusals(module_data_dir: Path) -> None:
    """These tests are refused more often in a minute than anybody who means well."""
    place = paths.ensure_private(module_data_dir / "platform")
    (place / "platform.toml").write_text("failed_logins_per_minute = 10000\n")


@pytest.fixture(scope="module")
def found(platform_endpoint: Any) -> dict[str, Any]:
    url = f"{platform_endpoint.issuer}.well-known/openid-configuration"
    return dict(httpx.get(url, trust_env=False).json())


@pytest.fixture
def oauth(platform_endpoint: Any) -> Iterator[OAuth2Session]:
    session = OAuth2Session(
        platform_endpoint.client_id,
        token_endpoint_auth_method="none",
        scope=SCOPES,
        redirect_uri=HERE,
        code_challenge_method="S256",
    )
    session.trust_env = False
    yield session
    session.close()


def signed_in(endpoint: Any, oauth: OAuth2Session, found: dict[str, Any]) -> dict[str, Any]:
    verifier, nonce = generate_token(48), generate_token(16)
    url, state = oauth.create_authorization_url(
        found["authorization_endpoint"], code_verifier=verifier, nonce=nonce, audience=endpoint.audience
    )
    where = agree(endpoint, url)
    assert where.startswith(HERE)
    assert answer_of(where)["iss"] == found["issuer"]
    tokens = oauth.fetch_token(
        found["token_endpoint"], authorization_response=where, state=state, code_verifier=verifier
    )
    return dict(tokens) | {"nonce": nonce}


def refused(found: dict[str, Any], where: str = "token_endpoint", **form: str) -> tuple[int, str]:
    answer = httpx.post(found[where], data=form, trust_env=False)
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()["error"]


def test_authorization_code_with_pkce(platform_endpoint: Any, oauth: OAuth2Session, found: dict[str, Any]) -> None:
    tokens = signed_in(platform_endpoint, oauth, found)
    keys = KeySet.import_key_set(httpx.get(found["jwks_uri"], trust_env=False).json())
    claims = jose.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    jose.JWTClaimsRegistry(
        iss={"essential": True, "value": found["issuer"]},
        aud={"essential": True, "value": platform_endpoint.client_id},
        nonce={"essential": True, "value": tokens["nonce"]},
        exp={"essential": True},
    ).validate(claims)
    access = jose.decode(tokens["access_token"], keys, algorithms=["RS256"]).claims
    assert access["aud"] == platform_endpoint.audience
    me = oauth.get(f"{platform_endpoint.api_root}/api/v1/me")
    assert me.status_code == 200, me.text
    who = oauth.get(found["userinfo_endpoint"]).json()
    assert who["sub"] == claims["sub"] == access["sub"]
    assert who["name"]


def test_a_refresh_token_is_replaced_and_an_old_one_ends_the_sign_in(
    platform_endpoint: Any, oauth: OAuth2Session, found: dict[str, Any]
) -> None:
    first = signed_in(platform_endpoint, oauth, found)
    second = dict(oauth.refresh_token(found["token_endpoint"], refresh_token=first["refresh_token"]))
    assert second["refresh_token"] != first["refresh_token"]
    assert oauth.get(found["userinfo_endpoint"]).status_code == 200
    for token in (first["refresh_token"], second["refresh_token"]):  # the thief's, and then nobody's
        with pytest.raises(OAuthError, match="invalid_grant"):
            oauth.refresh_token(found["token_endpoint"], refresh_token=token)
    for access in (first["access_token"], second["access_token"]):
        answer = httpx.get(
            f"{platform_endpoint.api_root}/api/v1/me", headers={"Authorization": f"Bearer {access}"}, trust_env=False
        )
        assert answer.status_code == 401


def test_revocation_ends_all_tokens_of_a_sign_in(
    platform_endpoint: Any, oauth: OAuth2Session, found: dict[str, Any]
) -> None:
    tokens = signed_in(platform_endpoint, oauth, found)
    other = signed_in(platform_endpoint, oauth, found)
    done = oauth.revoke_token(found["revocation_endpoint"], token=tokens["refresh_token"])
    assert done.status_code == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        oauth.refresh_token(found["token_endpoint"], refresh_token=tokens["refresh_token"])
    for one, status in ((tokens, 401), (other, 200)):
        headers = {"Authorization": f"Bearer {one['access_token']}"}
        assert httpx.get(found["userinfo_endpoint"], headers=headers, trust_env=False).status_code == status


def test_device_code(platform_endpoint: Any, oauth: OAuth2Session, found: dict[str, Any]) -> None:
    kind = "urn:ietf:params:oauth:grant-type:device_code"
    client = {"client_id": platform_endpoint.client_id}
    device = httpx.post(found["device_authorization_endpoint"], data=client | {"scope": SCOPES}, trust_env=False).json()
    assert device["interval"] == 5
    poll = client | {"grant_type": kind, "device_code": device["device_code"]}
    assert refused(found, **poll) == (400, "authorization_pending")
    assert refused(found, **poll) == (400, "slow_down")
    with Browser() as browser:
        page = browser.open(device["verification_uri_complete"])
        assert isinstance(page, Page)
        assert page.fields["user_code"] == device["user_code"]
        waiting = codes(platform_endpoint)[0]
        assert waiting["kind"] == "device"
        wrong = browser.send(found["issuer"], page, code=waiting["code"], user_code="BBBB-BBBB", answer="allow")
        assert isinstance(wrong, Page)
        assert "No device waits" in wrong.text
        done = browser.send(found["issuer"], page, code=waiting["code"].lower(), answer="allow")
        assert isinstance(done, Page)
        assert "signed in" in done.text
    oauth.fetch_token(found["token_endpoint"], grant_type=kind, device_code=device["device_code"])
    assert oauth.get(found["userinfo_endpoint"]).status_code == 200
    assert refused(found, **poll) == (400, "invalid_grant")


def test_the_launch_secret_approves_by_itself(platform_endpoint: Any, found: dict[str, Any]) -> None:
    before = len(codes(platform_endpoint))
    secret = {"X-Launchpad-Launch-Secret": platform_endpoint.launch_secret}
    with Browser() as browser:
        where = browser.open(authorize(platform_endpoint, found), **secret)
        assert isinstance(where, str)
        assert answer_of(where)["code"]
        page = browser.open(authorize(platform_endpoint, found), **{"X-Launchpad-Launch-Secret": "guess"})
        assert isinstance(page, Page)
        assert page.status == 403
        device = httpx.post(
            found["device_authorization_endpoint"], data={"client_id": platform_endpoint.client_id}, trust_env=False
        ).json()
        form = {"user_code": device["user_code"]}
        url = f"{found['issuer']}activate"
        assert httpx.post(url, data=form, headers=secret, trust_env=False).json() == {"answered": True}
        assert httpx.post(url, data=form, headers=secret, trust_env=False).status_code == 404
    assert len(codes(platform_endpoint)) == before
    assert httpx.get(f"{found['issuer']}identity/codes", trust_env=False).status_code == 403


def authorize(endpoint: Any, found: dict[str, Any], **changes: str) -> str:
    query = {
        "client_id": endpoint.client_id,
        "redirect_uri": HERE,
        "response_type": "code",
        "scope": SCOPES,
        "state": "s",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    } | changes
    return str(httpx.URL(found["authorization_endpoint"], params=query))


VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # of the challenge above: the example of RFC 7636


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "somebody"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://localhost:50123/"},
        {"redirect_uri": "http://127.0.0.1:50123/?next=evil"},
        {"redirect_uri": "http://127.0.0.1.evil.example:50123/"},
        {"redirect_uri": "http://127.0.0.1@evil.example:80/"},
        {"redirect_uri": "http://127.0.0.1:50123/#part"},
        {"redirect_uri": "javascript://127.0.0.1:1/"},
    ],
)
def test_nothing_is_sent_to_an_address_that_is_not_registered(
    platform_endpoint: Any, found: dict[str, Any], changes: dict[str, str]
) -> None:
    with Browser() as browser:
        page = browser.open(authorize(platform_endpoint, found, **changes))
    assert isinstance(page, Page), "it led somewhere"
    assert page.status == 400
    assert not page.action


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"audience": "https://somewhere-else"}, "access_denied"),
        ({"scope": "root"}, "invalid_scope"),
        ({"prompt": "none"}, "interaction_required"),
        ({"response_mode": "form_post"}, "invalid_request"),
    ],
)
def test_what_the_client_asks_wrongly_it_is_told(
    platform_endpoint: Any, found: dict[str, Any], changes: dict[str, str], error: str
) -> None:
    with Browser() as browser:
        where = browser.open(authorize(platform_endpoint, found, **changes))
    assert isinstance(where, str)
    answer = answer_of(where)
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "s", found["issuer"])


@pytest.mark.parametrize("uri", ["http://[::1]:50123/", "http://127.0.0.1:1/callback", "http://localhost:8989/"])
def test_addresses_of_this_computer_are_led_to(platform_endpoint: Any, found: dict[str, Any], uri: str) -> None:
    where = agree(platform_endpoint, authorize(platform_endpoint, found, redirect_uri=uri))
    assert where.startswith(f"{uri}?code=")


def test_a_person_may_refuse_and_a_code_is_good_once(platform_endpoint: Any, found: dict[str, Any]) -> None:
    url = authorize(platform_endpoint, found)
    with Browser() as browser:
        page = browser.open(url)
        assert isinstance(page, Page)
        where = browser.send(url, page, answer="refuse")
    assert isinstance(where, str)
    assert answer_of(where)["error"] == "access_denied"
    code = answer_of(agree(platform_endpoint, url))["code"]
    form = {
        "grant_type": "authorization_code",
        "client_id": platform_endpoint.client_id,
        "code": code,
        "redirect_uri": HERE,
        "code_verifier": VERIFIER,
    }
    first = httpx.post(found["token_endpoint"], data=form, trust_env=False)
    assert first.status_code == 200
    assert refused(found, **form) == (400, "invalid_grant")
    headers = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert httpx.get(found["userinfo_endpoint"], headers=headers, trust_env=False).status_code == 401


@pytest.mark.parametrize("changes", [{"code_verifier": "x" * 43}, {"redirect_uri": "http://127.0.0.1:50124/"}])
def test_a_code_is_bound_to_its_request_and_a_wrong_try_uses_it_up(
    platform_endpoint: Any, found: dict[str, Any], changes: dict[str, str]
) -> None:
    form = {
        "grant_type": "authorization_code",
        "client_id": platform_endpoint.client_id,
        "code": answer_of(agree(platform_endpoint, authorize(platform_endpoint, found)))["code"],
        "redirect_uri": HERE,
        "code_verifier": VERIFIER,
    }
    assert refused(found, **(form | changes)) == (400, "invalid_grant")
    assert refused(found, **form) == (400, "invalid_grant")


def test_the_command_prints_the_code(platform_endpoint: Any, found: dict[str, Any]) -> None:
    with Browser() as browser:
        browser.open(authorize(platform_endpoint, found))
    arguments = [*command_line(), "platform", "code"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == codes(platform_endpoint)[0]["code"]
    assert HERE in done.stderr


def test_ten_wrong_codes_end_a_request(platform_endpoint: Any, found: dict[str, Any]) -> None:
    url = authorize(platform_endpoint, found)
    with Browser() as browser:
        page = browser.open(url)
        assert isinstance(page, Page)
        right = codes(platform_endpoint)[0]["code"]
        wrong = "B" * 8 if right != "B" * 8 else "C" * 8
        said = [browser.send(url, page, code=wrong, answer="allow") for _ in range(10)]
        assert all(isinstance(one, Page) for one in said)
        assert "1 more try" in said[8].text  # type: ignore[union-attr]
        assert "Too many" in said[9].text  # type: ignore[union-attr]
        late = browser.send(url, page, code=right, answer="allow")
    assert isinstance(late, Page)
    assert "ended" in late.text


def test_a_form_of_another_page_is_not_taken(platform_endpoint: Any, found: dict[str, Any]) -> None:
    url = authorize(platform_endpoint, found)
    with Browser() as browser, Browser() as stranger:
        page = browser.open(url)
        assert isinstance(page, Page)
        code = codes(platform_endpoint)[0]["code"]
        for where, fields in ((stranger, {}), (browser, {"csrf": "x"}), (browser, {"request": "x"})):
            answer = where.send(url, page, code=code, answer="allow", **fields)
            assert isinstance(answer, Page)
            assert answer.status == 400
        evil = browser.http.post(url, data=page.fields | {"code": code}, headers={"Origin": "http://evil.example"})
        assert evil.status_code == 403
        headers = browser.http.get(url).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "script" not in headers["Content-Security-Policy"]
        assert "SameSite=strict" in headers["Set-Cookie"]
        assert "HttpOnly" in headers["Set-Cookie"]
        assert isinstance(browser.send(url, page, code=code, answer="allow"), str)


def test_forms_that_are_not_right(platform_endpoint: Any, found: dict[str, Any]) -> None:
    client = platform_endpoint.client_id
    assert refused(found, client_id="x", grant_type="refresh_token") == (401, "invalid_client")
    assert refused(found, client_id=client, grant_type="password") == (400, "unsupported_grant_type")
    assert refused(found, client_id=client, grant_type="refresh_token", refresh_token="x") == (400, "invalid_grant")
    twice = httpx.post(
        found["token_endpoint"],
        content="client_id=a&client_id=b",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        trust_env=False,
    )
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert httpx.post(found["token_endpoint"], json={}, trust_env=False).status_code == 400
    assert httpx.post(
        found["revocation_endpoint"], data={"client_id": client, "token": "x"}, trust_env=False
    ).is_success
    assert (
        httpx.get(f"{found['end_session_endpoint']}?returnTo=https://evil.example", trust_env=False).status_code == 400
    )
    assert httpx.get(f"{found['end_session_endpoint']}?returnTo={HERE}", trust_env=False).headers["Location"] == HERE


def test_a_lasting_sign_in_keeps_its_refresh_token(platform_endpoint: Any, found: dict[str, Any]) -> None:
    client = {"client_id": platform_endpoint.client_id}
    form = client | {
        "grant_type": "urn:launchpad:launch-secret",
        "launch_secret": platform_endpoint.launch_secret,
        "scope": "offline_access",
    }
    token = httpx.post(found["token_endpoint"], data=form, trust_env=False).json()["refresh_token"]
    again = client | {"grant_type": "refresh_token", "refresh_token": token}
    for _ in range(3):
        answer = httpx.post(found["token_endpoint"], data=again, trust_env=False)
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
    httpx.post(found["revocation_endpoint"], data=client | {"token": token}, trust_env=False)
    assert refused(found, **again) == (400, "invalid_grant")
    assert refused(found, **(form | {"launch_secret": "x"})) == (400, "invalid_grant")


def test_tokens_and_codes_are_not_in_the_database(
    platform_endpoint: Any, oauth: OAuth2Session, found: dict[str, Any], module_data_dir: Any
) -> None:
    tokens = signed_in(platform_endpoint, oauth, found)
    folder = module_data_dir / "platform"
    written = b"".join(path.read_bytes() for path in folder.glob("platform.*") if path.is_file())
    assert tokens["refresh_token"].encode() not in written
    assert tokens["access_token"].encode() not in written
    assert platform_endpoint.launch_secret.encode() not in written


def test_a_request_waits_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    from launchpad.localplatform.identity.consent import Consents, Refused

    consents = Consents()
    request = consents.open("device", "launchpad-desktop", None, "")
    begun = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: begun + 299)
    assert consents.waiting() == [request]
    monkeypatch.setattr(time, "monotonic", lambda: begun + 301)
    with pytest.raises(Refused):
        consents.find(request.id, request.csrf, request.cookie)
    assert consents.waiting() == []
