"""Settings, in this order: process environment, the file named by LAUNCHPAD_ENV_FILE, ./.env.{environment}, ./.env,
the person's own file of variables (`launchpad system config set`), settings.toml.

`LAUNCHPAD_X` and the `AIGNOSTICS_X` that the old SDK reads are the same field.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from launchpad import paths
from launchpad.errors import SettingsError


def _both(name: str, *older: str) -> AliasChoices:
    upper = name.upper()
    return AliasChoices(name, f"LAUNCHPAD_{upper}", f"AIGNOSTICS_{upper}", *older)


def _unset(name: str) -> Any:
    return Field(default=None, validation_alias=_both(name))


ENVIRONMENT = "the environment"
_Seconds = Annotated[float, Field(ge=0.1, le=300.0)]
_Attempts = Annotated[int | None, Field(ge=0, le=10)]
_Wait = Annotated[float | None, Field(ge=0.0, le=600.0)]


@dataclass(frozen=True)
class Retries:
    """How a read that failed is tried again: how often, and how long between (doubled each time, with jitter)."""

    attempts: int = 4
    first_wait: float = 0.3
    longest_wait: float = 8.0


class Settings(BaseSettings):
    """What a person or an administrator can set. Times are seconds."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    profile: str | None = Field(default=None, validation_alias=AliasChoices("profile", "LAUNCHPAD_PROFILE"))
    api_root: str | None = Field(default=None, pattern=r"^https?://[^\s/]+.*$", validation_alias=_both("api_root"))
    issuer: str | None = Field(default=None, validation_alias=AliasChoices("issuer", "LAUNCHPAD_ISSUER"))
    # What the old SDK wants beside the address of a platform, instead of its issuer.
    authorization_base_url: str | None = Field(default=None, validation_alias=_both("authorization_base_url"))
    token_url: str | None = Field(default=None, validation_alias=_both("token_url"))
    redirect_uri: str | None = Field(default=None, validation_alias=_both("redirect_uri"))
    device_url: str | None = Field(default=None, validation_alias=_both("device_url"))
    jws_json_url: str | None = Field(default=None, validation_alias=_both("jws_json_url"))
    client_id_device: str | None = Field(default=None, validation_alias=_both("client_id_device"))
    scope: str | None = Field(default=None, validation_alias=_both("scope"))
    organization_id: str | None = Field(default=None, validation_alias=_both("organization_id"))
    status_page_url: str | None = Field(default=None, validation_alias=_both("status_page_url"))
    refresh_token: SecretStr | None = Field(
        default=None, min_length=10, max_length=4000, validation_alias=_both("refresh_token")
    )
    client_id: str | None = Field(
        default=None,
        validation_alias=AliasChoices("client_id", "LAUNCHPAD_CLIENT_ID", "AIGNOSTICS_CLIENT_ID_INTERACTIVE"),
    )
    audience: str | None = Field(default=None, min_length=10, max_length=100, validation_alias=_both("audience"))
    storage_endpoint: str | None = Field(
        default=None, validation_alias=AliasChoices("storage_endpoint", "LAUNCHPAD_STORAGE_ENDPOINT")
    )
    token: SecretStr | None = Field(default=None, validation_alias=AliasChoices("token", "LAUNCHPAD_TOKEN"))
    log_level: str = Field(
        default="INFO", pattern=r"^(CRITICAL|ERROR|WARNING|INFO|DEBUG|TRACE)$", validation_alias=_both("log_level")
    )
    health_timeout: _Seconds = Field(default=30.0, validation_alias=_both("health_timeout"))
    auth_timeout: _Seconds = Field(default=30.0, validation_alias=_both("auth_timeout"))
    me_timeout: _Seconds = Field(default=30.0, validation_alias=_both("me_timeout"))
    application_timeout: _Seconds = Field(default=30.0, validation_alias=_both("application_timeout"))
    application_version_timeout: _Seconds = Field(default=30.0, validation_alias=_both("application_version_timeout"))
    run_timeout: _Seconds = Field(default=30.0, validation_alias=_both("run_timeout"))
    run_submit_timeout: _Seconds = Field(default=30.0, validation_alias=_both("run_submit_timeout"))
    run_cancel_timeout: _Seconds = Field(default=30.0, validation_alias=_both("run_cancel_timeout"))
    run_delete_timeout: _Seconds = Field(default=30.0, validation_alias=_both("run_delete_timeout"))
    auth_retry_attempts: _Attempts = _unset("auth_retry_attempts")
    auth_retry_wait_min: _Wait = _unset("auth_retry_wait_min")
    auth_retry_wait_max: _Wait = _unset("auth_retry_wait_max")
    me_retry_attempts: _Attempts = _unset("me_retry_attempts")
    me_retry_wait_min: _Wait = _unset("me_retry_wait_min")
    me_retry_wait_max: _Wait = _unset("me_retry_wait_max")
    application_retry_attempts: _Attempts = _unset("application_retry_attempts")
    application_retry_wait_min: _Wait = _unset("application_retry_wait_min")
    application_retry_wait_max: _Wait = _unset("application_retry_wait_max")
    application_version_retry_attempts: _Attempts = Field(
        default=None, validation_alias=_both("application_version_retry_attempts")
    )
    application_version_retry_wait_min: _Wait = Field(
        default=None, validation_alias=_both("application_version_retry_wait_min")
    )
    application_version_retry_wait_max: _Wait = Field(
        default=None, validation_alias=_both("application_version_retry_wait_max")
    )
    run_retry_attempts: _Attempts = _unset("run_retry_attempts")
    run_retry_wait_min: _Wait = _unset("run_retry_wait_min")
    run_retry_wait_max: _Wait = _unset("run_retry_wait_max")
    me_cache_ttl: float = Field(default=300.0, ge=0.0, validation_alias=_both("me_cache_ttl"))
    bucket_region_name: str = Field(default="auto", min_length=1, validation_alias=_both("bucket_region_name"))
    bucket_upload_signed_url_expiration_seconds: int = Field(
        default=7200, ge=60, le=604_800, validation_alias=_both("bucket_upload_signed_url_expiration_seconds")
    )
    log_file_enabled: bool = Field(default=False, validation_alias=_both("log_file_enabled"))
    log_file_name: str | None = Field(default=None, validation_alias=_both("log_file_name"))
    bucket_download_signed_url_expiration_seconds: int | None = Field(
        default=None, ge=60, le=604_800, validation_alias=_both("bucket_download_signed_url_expiration_seconds")
    )
    upload_bytes_per_second: float | None = Field(
        default=None,
        gt=0,
        validation_alias=AliasChoices("upload_bytes_per_second", "LAUNCHPAD_UPLOAD_BYTES_PER_SECOND"),
    )
    transfer_connections: int | None = Field(
        default=None,
        ge=1,
        le=32,
        validation_alias=AliasChoices("transfer_connections", "LAUNCHPAD_TRANSFER_CONNECTIONS"),
    )

    qupath: str | None = Field(default=None, validation_alias=AliasChoices("qupath", "LAUNCHPAD_QUPATH"))
    qupath_releases: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+.*$",
        validation_alias=AliasChoices("qupath_releases", "LAUNCHPAD_QUPATH_RELEASES"),
    )
    qupath_objects: Literal["auto", "qpdata", "script"] = Field(
        default="auto", validation_alias=AliasChoices("qupath_objects", "LAUNCHPAD_QUPATH_OBJECTS")
    )
    # "aws", "google", or the address below which the public buckets lie by their names.
    idc_mirror: str = Field(
        default="aws",
        pattern=r"^(aws|google|https?://[^\s/]+\S*)$",
        validation_alias=AliasChoices("idc_mirror", "LAUNCHPAD_IDC_MIRROR"),
    )
    sm_index: str | None = Field(default=None, validation_alias=AliasChoices("sm_index", "LAUNCHPAD_SM_INDEX"))
    sm_instance_index: str | None = Field(
        default=None, validation_alias=AliasChoices("sm_instance_index", "LAUNCHPAD_SM_INSTANCE_INDEX")
    )
    proxy: str | None = Field(default=None, validation_alias=AliasChoices("proxy", "LAUNCHPAD_PROXY"))
    # Looking for updates, and a mirror of the announcements (which the shipped keys must have signed all the same).
    updates: bool = Field(default=True, validation_alias=AliasChoices("updates", "LAUNCHPAD_UPDATES"))
    update_feed: str | None = Field(
        default=None,
        pattern=r"^(https://[^\s/]+|http://(127\.0\.0\.1|localhost)[:/]).*$",
        validation_alias=AliasChoices("update_feed", "LAUNCHPAD_UPDATE_FEED"),
    )

    privacy_name_patterns: list[str] | None = Field(
        default=None, validation_alias=AliasChoices("privacy_name_patterns", "LAUNCHPAD_PRIVACY_NAME_PATTERNS")
    )

    def retries(self, path: str) -> Retries:
        """How reads of a path are tried again; what is no run and no application counts as `me`."""
        kind = "run" if path.startswith("/api/v1/runs") else "me"
        if path.startswith("/api/v1/applications"):
            kind = "application_version" if "/versions" in path else "application"
        given = {
            name: getattr(self, f"{kind}_retry_{field}")
            for name, field in (("attempts", "attempts"), ("first_wait", "wait_min"), ("longest_wait", "wait_max"))
        }
        return Retries(**{name: value for name, value in given.items() if value is not None})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of DESIGN: environment before files, the named file before `./.env`, both before TOML."""
        files = [DotEnvSettingsSource(settings_cls, env_file=file) for file in _env_files()]
        toml = TomlConfigSettingsSource(settings_cls, toml_file=paths.settings_file())
        return (init_settings, env_settings, *files, toml)


def _env_file() -> Path | None:
    for name in ("LAUNCHPAD_ENV_FILE", "AIGNOSTICS_ENV_FILE"):
        value = os.environ.get(name, "").strip()
        if value:
            path = Path(value).expanduser()
            if not path.is_file():
                raise SettingsError(
                    "The settings file does not exist",
                    advice=f"Correct or remove the environment variable {name}.",
                    subject=str(path),
                )
            return path
    return None


def _env_files() -> list[Path]:
    named = _env_file()
    names = (os.environ.get(name, "").strip() for name in ("LAUNCHPAD_ENVIRONMENT", "AIGNOSTICS_ENVIRONMENT", "ENV"))
    environment = paths.safe_name(next((name for name in names if name), "local"))
    return [*([named] if named is not None else []), Path(f".env.{environment}"), Path(".env"), paths.env_file()]


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: a value does not validate; names each variable and the reason.
    """
    try:
        return Settings()
    except ValidationError as error:
        names = [str(item["loc"][0]) for item in error.errors()]
        reasons = [f"{_variables(name)}: {item['msg']}" for name, item in zip(names, error.errors(), strict=True)]
        places = [_place(_variables(name).split(" or ")) or str(paths.settings_file()) for name in names]
        raise SettingsError(
            "The settings are not valid",
            detail="; ".join(reasons) + ".",
            advice=f"Correct what stands in {', '.join(dict.fromkeys(places))}.",
        ) from None
    except ValueError as error:  # TOML that does not parse
        raise SettingsError(
            "The settings file cannot be read", detail=f"{error}.", subject=str(paths.settings_file())
        ) from error


def place_of(field: str) -> str:
    """Where the value of a field comes from: “the environment”, or the path of a file; empty when it is not set.

    A token and the address that it is sent to have to come from the same place or from a safer one: a `.env` that
    lies in some folder must not lead a token of the environment elsewhere.
    """
    alias = Settings.model_fields[field].validation_alias
    names = [str(choice) for choice in alias.choices[1:]] if isinstance(alias, AliasChoices) else [field]
    place = _place(names)
    return place or (str(paths.settings_file()) if getattr(load_settings(), field) is not None else "")


def _place(names: list[str]) -> str:
    """Where the first value of some variables is: “the environment”, or the path of a file of variables; else empty."""
    from dotenv import dotenv_values

    if any(os.environ.get(name, "") for name in names):
        return ENVIRONMENT
    for file in _env_files():
        if file.is_file():
            values = {name.upper(): value for name, value in dotenv_values(file).items()}
            if any(values.get(name) for name in names):
                return str(file)
    return ""


def _variables(name: str) -> str:
    """The environment variables of a field (pydantic names the field by any of its aliases)."""
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices) and name in alias.choices:
            return " or ".join(str(choice) for choice in alias.choices[1:])
    return name
