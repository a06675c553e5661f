"""`platform.Service` of the old SDK: signing in and out, and who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launchpad.platform.auth.profiles import select_profile

if TYPE_CHECKING:
    from launchpad.platform.auth.who import UserInfo


class Service:
    """Of the platform that the settings choose."""

    @staticmethod
    def login(relogin: bool = False) -> bool:
        """Sign in, by the browser where there is one; True when somebody is signed in then.

        Raises:
            LaunchpadError: it did not come about; says why.
        """
        from launchpad.platform.auth.oauth import SignInNeeded
        from launchpad.platform.auth.sign_in import by_browser, open_browser
        from launchpad.platform.auth.tokens import token_source
        from launchpad.settings import load_settings

        profile, settings = select_profile(), load_settings()
        if profile.kind == "embedded":
            return True
        if not relogin:
            try:
                token_source(profile, settings).token()
                return True
            except SignInNeeded:
                pass  # below
        by_browser(profile, open_browser=open_browser, again=relogin, timeout=settings.auth_timeout)
        return True

    @staticmethod
    def logout() -> bool:
        """Sign out; whether somebody was signed in."""
        from launchpad.platform.auth.sign_in import sign_out

        return sign_out(select_profile())[0]

    @staticmethod
    def get_user_info(relogin: bool = False) -> UserInfo:
        """Who is signed in, with secrets. Raises as `auth.who.who`."""
        from launchpad.platform.auth.who import UserInfo, who

        if relogin:
            Service.login(relogin=True)
        return UserInfo.model_validate(who(select_profile(), mask_secrets=False))
