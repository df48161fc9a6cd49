"""What can be wrong with a template or the values given to it."""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import FrontdeskError, InputRefused, LimitExceeded, NotFound


class TemplateRefused(InputRefused):
    """The template holds something that templates may not hold.

    Attributes: `name` is the template's path ("email/follow_up/lt/body.txt"), `line` the line of the fault
    or None.
    """

    def __init__(self, name: str, problem: str, *, line: int | None = None, cure: str = "") -> None:
        self.name = name
        self.problem = problem
        self.line = line
        place = f"{name}, line {line}" if line else name
        super().__init__(f"Template {place}: {problem}", cure=cure)


class UnknownPlaceholder(TemplateRefused):
    """The template names a placeholder that nobody declared."""


class TemplateTooLarge(LimitExceeded):
    """The template renders to more than is allowed."""

    cure = "Shorten the template or the values it shows."


class TemplateTooCostly(LimitExceeded):
    """The template took more processor time or memory than is allowed and was stopped."""

    cure = "Simplify the template; fewer and shallower loops help."


class MissingValues(InputRefused):
    """The template needs values that were not given, so nothing was rendered.

    Attributes: `name` is the template ("email/follow_up/lt"), `missing` the placeholders without a value.
    """

    def __init__(self, name: str, missing: Iterable[str]) -> None:
        self.name = name
        self.missing = tuple(sorted(missing))
        super().__init__(
            f"Template {name} needs {', '.join(self.missing)}, and no value was given.",
            cure="Fill in the data, or take the placeholder out of the template.",
        )


class WrongValue(InputRefused):
    """A value given for a placeholder is not of the declared type."""

    def __init__(self, placeholder: str, problem: str) -> None:
        self.placeholder = placeholder
        super().__init__(f"The value for {placeholder} {problem}.")


class TemplateNotFound(NotFound):
    """There is no such template."""

    def __init__(self, kind: str, key: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known)) or "none"
        super().__init__(f"There is no {kind} template named {key!r}.", cure=f"Known ones: {names}.")


class RendererFailed(FrontdeskError):
    """The process that renders templates could not be started or broke off."""

    retryable = True
    cure = "Try again; when it stays so, look at the machine's memory and at `frontdesk doctor`."


class PdfUnavailable(FrontdeskError):
    """PDF documents cannot be made on this machine: the Pango library is missing."""

    cure = "Install it (Debian and Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0 fonts-liberation)."


class PdfFailed(InputRefused):
    """The document could not be laid out as a PDF."""
