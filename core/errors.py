"""One tree of errors: the docstring is the message, and each knows whether trying again can help."""

from __future__ import annotations

import inspect


class FrontdeskError(Exception):
    """Something in frontdesk went wrong."""

    retryable = False
    """True when the same operation may succeed later without anybody changing anything."""

    cure = ""
    """One sentence that says what a person can do about it."""

    def __init__(self, message: str | None = None, *, cure: str | None = None) -> None:
        super().__init__(message or inspect.cleandoc(type(self).__doc__ or type(self).__name__))
        if cure is not None:
            self.cure = cure

    @property
    def message(self) -> str:
        """What went wrong, one sentence."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{self.message} {self.cure}".strip()


class ConfigurationError(FrontdeskError):
    """A setting is missing or wrong."""


class DatabaseUnavailable(FrontdeskError):
    """The database does not answer."""

    retryable = True


class DatabaseTooNew(FrontdeskError):
    """The database was made by a newer version of frontdesk."""

    cure = "Install that version or a newer one; nothing was changed."


class DatabaseTooOld(FrontdeskError):
    """The database was made by an older version of frontdesk."""

    cure = "Run `frontdesk migrate`."


class InputRefused(FrontdeskError):
    """The input is outside its bounds."""


class LimitExceeded(InputRefused):
    """A limit on input was exceeded."""


class NotFound(FrontdeskError):
    """There is no such record."""


class NotAllowed(FrontdeskError):
    """You may not do that."""


class IllegalTransition(FrontdeskError):
    """That state cannot follow the present one."""


class Conflict(FrontdeskError):
    """Somebody else changed it meanwhile."""

    cure = "Look at the present state and try again."


class Unreachable(FrontdeskError):
    """A server does not answer."""

    retryable = True


class LoginRefused(FrontdeskError):
    """A server refused the user name or password."""

    cure = "Check the credentials in the settings."
    retryable = True
