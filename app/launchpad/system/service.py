"""`system.Service` of the old SDK: health, information, variables, proxies, the platform's API."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from launchpad.errors import LaunchpadError, NotFound, SettingsError
from launchpad.paths import write_private
from launchpad.platform.client import Client
from launchpad.system import dotenv_file
from launchpad.system.health import Health, check, unreachable
from launchpad.system.information import collect, dotenv_lines


class Service:
    """Of this installation and the platform that the settings choose."""

    def health(self) -> Health:
        """How everything is; true when runs can be submitted, `reason` says why not. Raises SettingsError only."""
        try:
            with Client() as client:
                return check(client)
        except SettingsError:
            raise
        except LaunchpadError as error:
            return unreachable(error)

    @staticmethod
    async def health_static() -> Health:
        """As `health`, for a caller with an event loop."""
        return await asyncio.to_thread(Service().health)

    @staticmethod
    async def info(include_environ: bool = False, mask_secrets: bool = True) -> dict[str, object]:
        """Versions, folders and settings. Raises SettingsError."""
        return await asyncio.to_thread(collect, include_environ=include_environ, mask_secrets=mask_secrets)

    @staticmethod
    def dotenv_get(key: str) -> str | None:
        """A variable of the environment or the person's file. Raises BadInput for a malformed name."""
        return dotenv_file.get(key)

    @staticmethod
    def dotenv_set(key: str, value: str) -> None:
        """Set a variable in the person's file. Raises as `dotenv_file.put`."""
        dotenv_file.put(key, value)

    @staticmethod
    def dotenv_unset(key: str) -> int:
        """Take a variable out of the person's file; how many were there. Raises as `dotenv_file.put`."""
        return int(dotenv_file.unset(key))

    @staticmethod
    def dump_dot_env_file(destination: Path) -> None:
        """Write all settings as KEY=value, secrets as they are, for this account alone.

        Raises:
            SettingsError: the settings do not validate.
            OSError: the file cannot be written.
        """
        write_private(Path(destination), dotenv_lines().encode())

    @staticmethod
    def remote_diagnostics_enabled() -> bool:
        """Never: Launchpad reports to nobody."""
        return False

    @staticmethod
    def remote_diagnostics_enable() -> None:
        """Nothing: Launchpad reports to nobody."""

    @staticmethod
    def remote_diagnostics_disable() -> None:
        """Nothing: Launchpad reports to nobody."""

    @staticmethod
    def http_proxy_enable(
        host: str,
        port: int = 8080,
        scheme: str = "http",
        ssl_cert_file: str | None = None,
        no_ssl_verify: bool = False,
    ) -> None:
        """Use a proxy from now on. Raises as `dotenv_file.set_proxy`."""
        dotenv_file.set_proxy(host, port, scheme, ssl_cert_file, no_ssl_verify=no_ssl_verify)

    @staticmethod
    def http_proxy_disable() -> None:
        """Use the proxy no more."""
        dotenv_file.remove_proxy()

    @staticmethod
    def openapi_schema(api_version: str = "v1") -> dict[str, Any]:
        """The OpenAPI description of the platform in use.

        Raises:
            NotFound: it describes no such version.
            Unreachable, ApiException: as every request.
        """
        if api_version != "v1":
            raise NotFound("There is no such version of the API", advice="Ask for v1.", subject=api_version)
        with Client() as client:
            return dict(client.api.get("/openapi.json", timeout=client.settings.application_timeout, signed=False))
