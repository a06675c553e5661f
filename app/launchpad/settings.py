"""Settings, in this order: process environment, the file named by LAUNCHPAD_ENV_FILE, ./.env, settings.toml.

`LAUNCHPAD_X` and the `AIGNOSTICS_X` that the old SDK reads are the same field.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

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


_Seconds = Annotated[float, Field(ge=0.1, le=300.0)]


class Settings(BaseSettings):
    """What a person or an administrator can set. Times are seconds."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    profile: str | None = Field(default=None, validation_alias=AliasChoices("profile", "LAUNCHPAD_PROFILE"))
    api_root: str | None = Field(default=None, pattern=r"^https?://[^\s/]+.*$", validation_alias=_both("api_root"))
    issuer: str | None = Field(
        default=None, validation_alias=AliasChoices("issuer", "LAUNCHPAD_ISSUER", "AIGNOSTICS_AUTHORIZATION_BASE_URL")
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
    run_timeout: _Seconds = Field(default=30.0, validation_alias=_both("run_timeout"))
    run_submit_timeout: _Seconds = Field(default=30.0, validation_alias=_both("run_submit_timeout"))
    run_cancel_timeout: _Seconds = Field(default=30.0, validation_alias=_both("run_cancel_timeout"))
    run_delete_timeout: _Seconds = Field(default=30.0, validation_alias=_both("run_delete_timeout"))
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
    privacy_name_patterns: list[str] | None = Field(
        default=None, validation_alias=AliasChoices("privacy_name_patterns", "LAUNCHPAD_PRIVACY_NAME_PATTERNS")
    )

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
        named = _env_file()
        files = [
            DotEnvSettingsSource(settings_cls, env_file=file) for file in (named, Path(".env")) if file is not None
        ]
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


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: a value does not validate; names each variable and the reason.
    """
    try:
        return Settings()
    except ValidationError as error:
        reasons = [f"{_variables(str(item['loc'][0]))}: {item['msg']}" for item in error.errors()]
        raise SettingsError(
            "The settings are not valid",
            detail="; ".join(reasons) + ".",
            advice=f"Correct them in the environment, in .env or in {paths.settings_file()}.",
        ) from None
    except ValueError as error:  # TOML that does not parse
        raise SettingsError(
            "The settings file cannot be read", detail=f"{error}.", subject=str(paths.settings_file())
        ) from error


def _variables(name: str) -> str:
    """The environment variables of a field (pydantic names the field by any of its aliases)."""
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices) and name in alias.choices:
            return " or ".join(str(choice) for choice in alias.choices[1:])
    return name
