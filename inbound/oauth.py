"""Access tokens for mailboxes (RFC 6749): fetched, kept until shortly before they expire, refreshed."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx

from core.config_sections import OAuth, OAuthProvider
from core.errors import LoginRefused, Unreachable

TOKEN_URLS: Final = {
    OAuthProvider.MICROSOFT: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
    OAuthProvider.GOOGLE: "https://oauth2.googleapis.com/token",
}
SCOPES: Final = {
    OAuthProvider.MICROSOFT: "https://outlook.office365.com/IMAP.AccessAsUser.All offline_access",
    OAuthProvider.GOOGLE: "https://mail.google.com/",
}
APPLICATION_SCOPE: Final = "https://outlook.office365.com/.default"
"""What an application asks Microsoft for when it signs in as itself, without a refresh token."""

EARLY: Final = 120.0
"""Seconds before its end at which a token is no longer used."""

USUAL_LIFE: Final = 3_600.0
"""Seconds a token lives when the server does not say."""


class TokenSource:
    """The access token of one mailbox.

    A server may hand out a new refresh token with each access token (Microsoft does); it is kept in `store`,
    a file of mode 0600, and used until the configured one changes.
    """

    def __init__(
        self,
        settings: OAuth,
        *,
        store: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        timeout: float = 20.0,
    ) -> None:
        self._settings = settings
        self._store = store
        self._now = monotonic
        self._timeout = timeout
        self._token = ""
        self._expires = 0.0
        self._lock = threading.Lock()

    def token(self) -> str:
        """A token that holds for at least two minutes.

        Raises LoginRefused when the server says that our credentials do not hold, Unreachable when it does
        not answer.
        """
        with self._lock:
            if not self._token or self._now() >= self._expires - EARLY:
                self._renew()
            return self._token

    def forget(self) -> None:
        """Do not use the present token again: the mail server has refused it."""
        with self._lock:
            self._token = ""

    def _renew(self) -> None:
        settings = self._settings
        url = settings.token_url or TOKEN_URLS[settings.provider].format(tenant=settings.tenant)
        form = {"client_id": settings.client_id}
        if settings.client_secret is not None:
            form["client_secret"] = settings.client_secret.get_secret_value()
        refresh = self._refresh_token()
        if refresh:
            form |= {"grant_type": "refresh_token", "refresh_token": refresh}
            scope = settings.scope or SCOPES.get(settings.provider, "")
        else:
            form |= {"grant_type": "client_credentials"}
            scope = settings.scope or (
                APPLICATION_SCOPE if settings.provider is OAuthProvider.MICROSOFT else ""
            )
        if scope:
            form["scope"] = scope
        answer = self._ask(url, form)
        self._token = str(answer["access_token"])
        self._expires = self._now() + _seconds(answer.get("expires_in"))
        renewed = answer.get("refresh_token")
        if isinstance(renewed, str) and renewed and renewed != refresh:
            self._keep(renewed)

    def _ask(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        try:
            response = httpx.post(url, data=form, timeout=self._timeout, follow_redirects=False)
        except httpx.HTTPError as error:
            raise Unreachable(f"The token server does not answer: {type(error).__name__}.") from error
        if response.status_code >= 500 or response.status_code == 429:
            raise Unreachable(f"The token server answers {response.status_code}.")
        try:
            answer = response.json()
        except ValueError as error:
            raise Unreachable("The token server's answer is not JSON.") from error
        if response.status_code != 200 or not isinstance(answer, dict) or not answer.get("access_token"):
            code = answer.get("error", response.status_code) if isinstance(answer, dict) else "?"
            raise LoginRefused(
                f"The token server refuses us: {str(code)[:80]}.",
                cure="Sign the mailbox in again and put its new refresh token into the settings.",
            )
        return answer

    def _refresh_token(self) -> str | None:
        configured = self._settings.refresh_token
        if configured is None:
            return None
        given = configured.get_secret_value()
        if self._store is not None and self._store.is_file():
            mark, _, renewed = self._store.read_text(encoding="utf-8").partition("\n")
            if mark == _mark(given) and renewed.strip():
                return renewed.strip()
        return given

    def _keep(self, renewed: str) -> None:
        configured = self._settings.refresh_token
        if self._store is None or configured is None:
            return
        self._store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._store.with_name(f".{self._store.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(f"{_mark(configured.get_secret_value())}\n{renewed}\n")
        fresh.replace(self._store)


def _mark(configured: str) -> str:
    """Tells which configured token a kept one goes back to, without giving it away."""
    return hashlib.sha256(configured.encode()).hexdigest()[:16]


def _seconds(expires_in: Any) -> float:
    try:
        return max(EARLY + 30.0, float(expires_in))
    except (TypeError, ValueError):
        return USUAL_LIFE
