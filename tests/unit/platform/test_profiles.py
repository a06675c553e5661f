"""Which platform is chosen, and which token goes where."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from launchpad import paths
from launchpad.errors import BadInput, NotFound, SettingsError
from launchpad.platform.auth import profile_file
from launchpad.platform.auth.profiles import CLOUD, LOCAL, Profile, all_profiles, select_profile
from launchpad.platform.auth.tokens import GivenToken, RefreshTokenOfSettings, StoredSignIn, token_source
from launchpad.platform.embedded import command_line
from launchpad.settings import load_settings

LAB = Profile(
    "lab", "Lab", "remote", "https://lab.example", "https://id.example/", "client", "https://lab.example/api",
    "https://store.example", origin="added",
)  # fmt: skip
SEVEN = {
    "AIGNOSTICS_AUDIENCE": "https://somewhere-else",
    "AIGNOSTICS_AUTHORIZATION_BASE_URL": "https://id.example:8443/authorize",
    "AIGNOSTICS_TOKEN_URL": "https://id.example:8443/oauth/token",
    "AIGNOSTICS_REDIRECT_URI": "http://localhost:8990/",
    "AIGNOSTICS_DEVICE_URL": "https://id.example:8443/oauth/device/code",
    "AIGNOSTICS_JWS_JSON_URL": "https://id.example:8443/.well-known/jwks.json",
    "AIGNOSTICS_CLIENT_ID_INTERACTIVE": "theirs",
}
Put = Callable[[dict[str, str]], None]


@pytest.fixture
def put(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    def many(values: dict[str, str]) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return many


def test_without_settings_it_is_this_computer(data_dir: Path) -> None:
    assert select_profile() is LOCAL


def test_the_address_of_a_built_in_platform_selects_it(put: Put) -> None:
    put({"AIGNOSTICS_API_ROOT": "https://platform.aignostics.com/"})
    assert select_profile() is CLOUD


def test_another_address_makes_a_profile_with_its_seven_companions(put: Put) -> None:
    put(SEVEN | {"AIGNOSTICS_API_ROOT": "https://elsewhere.example"})
    made = select_profile()
    assert (made.api_root, made.issuer, made.client_id) == (
        "https://elsewhere.example",
        "https://id.example:8443/",
        "theirs",
    )
    assert made.addresses is not None
    assert made.addresses.token == SEVEN["AIGNOSTICS_TOKEN_URL"]
    assert made.redirect_uris == ("http://localhost:8990/",)


@pytest.mark.parametrize("missing", sorted(SEVEN))
def test_a_missing_companion_is_named_and_ends_with_78(put: Put, missing: str) -> None:
    put({name: value for name, value in SEVEN.items() if name != missing})
    put({"AIGNOSTICS_API_ROOT": "https://elsewhere.example"})
    with pytest.raises(SettingsError) as caught:
        select_profile()
    assert caught.value.detail == f"Missing: {missing}."
    assert caught.value.exit_code == 78


def test_an_address_alone_is_not_enough(put: Put) -> None:
    put({"AIGNOSTICS_API_ROOT": "https://elsewhere.example"})
    with pytest.raises(SettingsError, match="LAUNCHPAD_ISSUER") as caught:
        select_profile()
    assert "AIGNOSTICS_{AUDIENCE" in caught.value.advice
    done = subprocess.run([*command_line(), "user", "whoami"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 78, done.stderr


def test_an_issuer_is_enough_for_discovery(put: Put) -> None:
    put(
        {
            "LAUNCHPAD_API_ROOT": "https://elsewhere.example",
            "LAUNCHPAD_ISSUER": "https://id.example",
            "LAUNCHPAD_CLIENT_ID": "ours",
            "LAUNCHPAD_AUDIENCE": "https://elsewhere.example/api",
            "LAUNCHPAD_STORAGE_ENDPOINT": "https://store.example",
        }
    )
    made = select_profile()
    assert (made.issuer, made.addresses) == ("https://id.example/", None)


def test_a_refresh_token_alone_selects_the_aignostics_platform(put: Put) -> None:
    put({"AIGNOSTICS_REFRESH_TOKEN": "r" * 40})
    profile = select_profile()
    assert profile is CLOUD
    assert isinstance(token_source(profile, load_settings()), RefreshTokenOfSettings)


def test_a_refresh_token_goes_to_no_other_issuer(put: Put) -> None:
    profile_file.add(LAB)
    put({"AIGNOSTICS_REFRESH_TOKEN": "r" * 40, "LAUNCHPAD_PROFILE": "lab"})
    chosen = select_profile()
    assert chosen.name == "lab"
    for other in (chosen, CLOUD):  # the second as the window may switch to it
        assert isinstance(token_source(other, load_settings()), StoredSignIn)
    put({"LAUNCHPAD_PROFILE": "local"})
    assert select_profile() is LOCAL


def test_a_token_of_the_settings_goes_to_the_chosen_platform_alone(put: Put) -> None:
    put(SEVEN | {"AIGNOSTICS_API_ROOT": "https://elsewhere.example", "LAUNCHPAD_TOKEN": "t" * 20})
    chosen, settings = select_profile(), load_settings()
    assert isinstance(token_source(chosen, settings), GivenToken)
    for other in (CLOUD, LAB, replace(chosen, api_root="https://evil.example"), replace(chosen, client_id="other")):
        assert isinstance(token_source(other, settings), StoredSignIn)


@pytest.mark.parametrize("name", ["LAUNCHPAD_TOKEN", "AIGNOSTICS_REFRESH_TOKEN"])
def test_a_dotenv_of_some_folder_leads_no_token_elsewhere(put: Put, tmp_path: Path, name: str) -> None:
    lines = SEVEN | {"AIGNOSTICS_API_ROOT": "https://evil.example"}
    (tmp_path / ".env").write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    assert select_profile().api_root == "https://evil.example"
    put({name: "t" * 40})
    with pytest.raises(SettingsError, match="another platform than it is for"):
        select_profile()
    (tmp_path / ".env").write_text((tmp_path / ".env").read_text() + f"{name}={'t' * 40}\n")
    with pytest.raises(SettingsError):  # the environment's is still the one that would go
        select_profile()


def test_a_dotenv_with_its_own_token_is_whole(data_dir: Path, tmp_path: Path) -> None:
    lines = SEVEN | {"AIGNOSTICS_API_ROOT": "https://lab.example", "AIGNOSTICS_REFRESH_TOKEN": "t" * 40}
    (tmp_path / ".env").write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    profile = select_profile()
    assert isinstance(token_source(profile, load_settings()), RefreshTokenOfSettings)


def test_two_platforms_at_once_are_refused(put: Put) -> None:
    put({"LAUNCHPAD_PROFILE": "aignostics", "AIGNOSTICS_API_ROOT": "https://elsewhere.example"})
    with pytest.raises(SettingsError, match="two platforms"):
        select_profile()


def test_profiles_are_added_used_and_removed(data_dir: Path) -> None:
    profile_file.add(LAB)
    profile_file.add(replace(LAB, title="The lab"))
    (kept,) = [item for item in all_profiles() if item.origin == "added"]
    assert kept == replace(LAB, title="The lab")
    assert select_profile() is LOCAL
    profile_file.use("lab")
    assert select_profile() == kept
    assert paths.profiles_file().stat().st_mode & 0o077 == 0
    profile_file.remove("lab")
    assert select_profile() is LOCAL
    with pytest.raises(NotFound):
        profile_file.use("lab")
    with pytest.raises(BadInput, match="built-in"):
        profile_file.remove("local")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "local"},
        {"name": "a b"},
        {"api_root": "http://lab.example"},
        {"issuer": "ftp://x/"},
        {"api_root": "https://user:secret@lab.example"},
        {"client_id": ""},
        {"storage_endpoint": "store"},
    ],
)
def test_what_cannot_be_a_profile_is_refused(data_dir: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        profile_file.add(replace(LAB, **changes))
    assert not paths.profiles_file().exists()


def test_a_damaged_file_of_profiles_is_named(data_dir: Path) -> None:
    paths.profiles_file().parent.mkdir(parents=True, exist_ok=True)
    paths.profiles_file().write_text("{")
    with pytest.raises(SettingsError, match=r"profiles\.json"):
        select_profile()


def test_staging_is_hidden(data_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def listed(*more: str) -> list[str]:
        done = subprocess.run(
            [*command_line(), "profile", "list", "--format", "json", *more], capture_output=True, text=True, timeout=60
        )
        return [item["name"] for item in json.loads(done.stdout)]

    assert listed() == ["local", "aignostics"]
    assert listed("--all") == ["local", "aignostics", "aignostics-staging"]
