"""HTML to the text a reader sees: structure kept, hidden words left out, quotations marked; one pass."""

from __future__ import annotations

import html as entities
import re
from typing import Final, NamedTuple

from inbound import limits
from inbound.wordlist import words


class Line(NamedTuple):
    """One line of text: how deep it is quoted, and what the markup says of it (see `MARKS`)."""

    text: str
    depth: int = 0
    mark: str = ""


MARKS: Final = ("quote", "cut", "signature", "header")
"""quote: inside a mail program's quotation; cut: all that follows is old; header: introduces a quotation."""


class Rendered(NamedTuple):
    """The visible text, its lines with their marks, and whether words were hidden from the reader."""

    text: str
    lines: tuple[Line, ...]
    hidden: bool
    marked: bool


_TAG: Final = re.compile(
    r"<(?:(!--)|(/?)([a-zA-Z][a-zA-Z0-9:]*)((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>|[!?/][^<>]*+>"
    r"|([a-zA-Z][a-zA-Z0-9]*)[^<>]*+>)"
)
_STYLE: Final = re.compile(r"style\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
_HIDING: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?:\.0+)?(?:px"
    r"|pt|em|%)?\s*(?:;|$|!)"
    r"|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$|!)|(?:max-)?height\s*:\s*0(?:px)?\s*;.*overflow\s*:\s*hidden"
    r"|overflow\s*:\s*hidden.*(?:max-)?height\s*:\s*0(?:px)?\s*(?:;|$|!)|text-indent\s*:\s*-\d{3,}"
    r"|left\s*:\s*-\d{4,}px",
    re.IGNORECASE | re.DOTALL,
)
_WHITE: Final = re.compile(
    r"(?<![-\w])color\s*[:=]\s*[\"']?(?:#fff(?:fff)?\b|white\b|rgba?\(\s*255\s*,\s*255\s*,\s*255)",
    re.IGNORECASE,
)
_BACKGROUND: Final = re.compile(r"background|bgcolor", re.IGNORECASE)
_NAMES: Final = re.compile(
    r"(?:class|id|type|data-smartmail|name)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE
)
_INDENT: Final = re.compile(
    r"margin:\s*0(?:px)?\s+0(?:px)?\s+0(?:px)?\s+40px;\s*border:\s*none", re.IGNORECASE
)
_OUTLOOK: Final = re.compile(
    r"border:\s*none;\s*border-top:\s*solid\s+(?:#?[0-9A-Fa-f]{6}|windowtext)\s+1\.0pt;\s*padding:\s*3\.0pt",
    re.IGNORECASE,
)

_QUOTE_NAMES: Final = (
    "gmail_quote", "yahoo_quoted", "moz-cite", "mailru-quote", "zmail_extra", "protonmail_quote",
    "ydp-quoted",
    "mail-quote", "tutanota_quote", "mailrucssattributepostfix_quote", "quoted_text", "gmail_extra_quote",
    "wm_quote", "js-reply-quote", "mail_quote", "freebirdformviewerviewemailquote",
)  # fmt: skip
_CUT_NAMES: Final = (
    "divrplyfwdmsg",
    "appendonsend",
    "stopspelling",
    "olk_src_body_section",
    "mail-editor-reference-message-container",
    "ms-outlook-mobile-reference-message",
    "isforwardcontent",
    "isreplycontent",
)
_HEADER_NAMES: Final = ("moz-cite-prefix", "gmail_attr", "moz-forward-container", "moz-email-headers-table")
_SIGNATURE_NAMES: Final = (
    "gmail_signature", "moz-signature", "ms-outlook-mobile-signature", "applemailsignature",
    "mailru-signature",
    "ymail_android_signature", "protonmail_signature", "apple-mail-signature", "yandex-signature",
)  # fmt: skip

_ANSWERED: Final = re.compile(r"gmail_quote|protonmail_quote|type\s*=\s*[\"']?cite")
"""Quotations under which their programs let the writer answer."""

_VOID: Final = words(
    """
    br hr img input meta link area base col embed source track wbr param
    """
)
_SKIP: Final = words(
    """
    script style title template object iframe svg math noembed noframes xml applet
    """
)
_BLOCK: Final = words(
    """
    div tr table tbody thead tfoot li ul ol dl dt dd section article header footer main aside nav form
    fieldset address center figure figcaption hr html body caption details summary blockquote option
    select
    """
)
_PARAGRAPH: Final = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "pre"])
_BREAKING: Final = _BLOCK | _PARAGRAPH
_CLOSING: Final = {
    "p": frozenset({"p"}),
    "li": frozenset({"li"}),
    "td": frozenset({"td", "th"}),
    "th": frozenset({"td", "th"}),
    "tr": frozenset({"tr", "td", "th"}),
}
_INVISIBLE: Final = re.compile("[\u200b\u200c\u2060\ufeff\u00ad\u034f\u180e\u2061-\u2064]+")
_MANY_SPACES: Final = re.compile(r"[ \u00a0]{2,}")


_MARKING: Final = ("quote", "moz-cite", "gmail_attr", "moz-forward", "signature", "border-top", *_CUT_NAMES)
"""One of these stands in any markup that says what is quoted or signed."""


def may_mark(html: str) -> bool:
    """Whether the markup may say what is quoted or signed; False is certain and cheaper than `render`."""
    # Names in markup are in ASCII, where letters are made small and words looked for much faster.
    markup = html[: limits.HTML_CHARS].encode("ascii", "ignore").lower().decode("ascii")
    return any(word in markup for word in _MARKING)


def text_of(html: str) -> str:
    """The visible text alone."""
    return render(html).text


def render(html: str) -> Rendered:
    """Read `html` once; bounded by `limits.HTML_CHARS`, `HTML_TAGS` and `HTML_DEPTH`."""
    if len(html) > limits.HTML_CHARS:
        html = html[: limits.HTML_CHARS]
    return _Reader(html).read()


class _Open(NamedTuple):
    name: str
    hidden: int
    depth: int
    mark: str
    background: bool
    pre: bool


_ROOT: Final = _Open("", 0, 0, "", False, False)


class _Reader:
    __slots__ = (
        "cut",
        "cut_within",
        "gap",
        "hidden",
        "html",
        "line",
        "lines",
        "lists",
        "marked",
        "never",
        "questions",
        "stack",
        "state",
    )

    def __init__(self, html: str) -> None:
        self.html = html
        self.stack: list[_Open] = []
        self.state = _ROOT
        self.line: list[str] = []
        self.lines: list[Line] = []
        self.lists: list[int] = []
        self.gap = False
        self.hidden = False
        self.marked = False
        self.cut = False
        self.cut_within = -1
        """Place of the quotation that the cut stands in: what follows that one is the sender's again."""
        self.never: set[str] = set()
        self.questions: list[int] = []
        """Places of open quotations right inside a program's quoting box; answers may follow each in it."""

    def read(self) -> Rendered:
        html = self.html
        position = tags = 0
        search = _TAG.search
        match = search(html)
        while match is not None:
            start = match.start()
            if start > position:
                self.text(html[position:start])
            position = match.end()
            if match[1]:
                closed = html.find("-->", max(position - 2, 0))
                position = len(html) if closed < 0 else closed + 3
            elif match[3] is not None or match[5] is not None:
                name = (match[3] or match[5]).lower()
                if match[2]:
                    self.close(name)
                elif name in _SKIP:
                    position = self.skip(name, position)
                else:
                    self.open(name, match[4] or "")
            tags += 1
            if tags > limits.HTML_TAGS:
                break
            match = search(html, position)
        else:
            if position < len(html):
                self.text(html[position:])
        self.flush()
        return self.finish()

    def skip(self, name: str, position: int) -> int:
        if name in self.never:
            return position
        closing = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(self.html, position)
        if closing is None:
            self.never.add(name)
            return position
        return closing.end()

    def text(self, piece: str) -> None:
        if self.state.hidden:
            if not self.hidden and not piece.isspace() and piece.strip("\xa0\u200c \r\n\t"):
                self.hidden = True
            return
        if "&" in piece:
            piece = entities.unescape(piece)
        if self.state.pre:
            for number, row in enumerate(piece.replace("\r\n", "\n").split("\n")):
                if number:
                    self.flush(keep_empty=True)
                self.line.append(row)
            return
        words = piece.split()
        if not words:
            if self.line and piece:
                self.line.append(" ")
            return
        text = " ".join(words)
        if piece[0].isspace() and self.line:
            text = " " + text
        if piece[-1].isspace():
            text += " "
        self.line.append(text)

    def open(self, name: str, attributes: str) -> None:
        if name == "br":
            self.flush(keep_empty=True)
            return
        if name in _BREAKING:
            self.flush()
            if name in _PARAGRAPH:
                self.gap = True
        if name in _CLOSING and self.stack and self.stack[-1].name in _CLOSING[name]:
            self.pop(len(self.stack) - 1)
            if name == "tr" and self.stack and self.stack[-1].name == "tr":
                self.pop(len(self.stack) - 1)
        if name in {"td", "th"} and self.line:
            self.line.append("\t")
        elif name == "li":
            number = self.lists[-1] if self.lists else 0
            self.line.append(f"{number}. " if number else "- ")
            if number:
                self.lists[-1] += 1
        elif name in {"ul", "ol"}:
            self.lists.append(1 if name == "ol" else 0)
            del self.lists[limits.HTML_DEPTH :]
        before = self.state
        hidden, depth, mark, background, pre = (
            before.hidden,
            before.depth,
            before.mark,
            before.background,
            before.pre,
        )
        lowered = attributes.lower() if attributes else ""
        if attributes:
            background = background or _BACKGROUND.search(attributes) is not None
            hidden = hidden or _hides(lowered, background)
            if "=" in lowered and ("class" in lowered or "id" in lowered or "data-" in lowered):
                mark = self.named(lowered) or mark
            if name == "div" and "border-top" in lowered and _OUTLOOK.search(lowered):
                mark = self.cut_here()
        if name == "blockquote":
            if not (attributes and _INDENT.search(attributes)):
                depth += 1
                self.marked = True
                if (
                    before.mark == "quote"
                    and before.name == "div"
                    and attributes
                    and _ANSWERED.search(lowered)
                ):
                    self.questions.append(len(self.stack))
        elif name == "pre":
            pre = True
        if name in _VOID:
            return
        state = _Open(name, int(hidden), min(depth, 20), mark, background, pre)
        if len(self.stack) < limits.HTML_DEPTH:
            self.stack.append(state)
            self.state = state

    def named(self, lowered: str) -> str:
        """What the class and id of an element say of it."""
        if "quote" in lowered or "moz-cite" in lowered or "gmail_attr" in lowered or "moz-forward" in lowered:
            for known in _HEADER_NAMES:
                if known in lowered:
                    return self.note("header")
            for known in _QUOTE_NAMES:
                if known in lowered:
                    return self.note("quote")
        if "signature" in lowered:
            for known in _SIGNATURE_NAMES:
                if known in lowered:
                    return self.note("signature")
            match = _NAMES.search(lowered)
            if match and (match[1] or match[2] or match[3]) == "signature":
                return self.note("signature")
        for known in _CUT_NAMES:
            if known in lowered:
                self.note("cut")
                return self.cut_here()
        return ""

    def cut_here(self) -> str:
        """All that follows is old, up to the end of the quotation around it if there is one."""
        if not self.cut:
            self.cut = True
            within = (
                place
                for place in range(len(self.stack) - 1, -1, -1)
                if self.stack[place].name == "blockquote" or self.stack[place].mark == "quote"
            )
            self.cut_within = next(within, -1)
        return "cut"

    def note(self, mark: str) -> str:
        self.flush()
        self.marked = True
        return mark

    def close(self, name: str) -> None:
        if name in _BREAKING:
            self.flush()
            if name in _PARAGRAPH:
                self.gap = True
            elif name in {"ul", "ol"} and self.lists:
                self.lists.pop()
        stack = self.stack
        for place in range(len(stack) - 1, max(len(stack) - 60, -1), -1):
            if stack[place].name == name:
                if stack[place].mark != (stack[place - 1].mark if place else ""):
                    self.flush()
                if name == "blockquote" and place in self.questions:
                    # Gmail leaves the answers between quotations inside its box.
                    stack[place - 1] = stack[place - 1]._replace(mark="")
                self.pop(place)
                return
        if name == "p":
            self.gap = True

    def pop(self, place: int) -> None:
        if self.cut and place <= self.cut_within:
            self.cut = False
        if self.questions:
            self.questions = [one for one in self.questions if one < place]
        del self.stack[place:]
        self.state = self.stack[-1] if self.stack else _ROOT

    def flush(self, *, keep_empty: bool = False) -> None:
        if self.line:
            text = "".join(self.line)
            self.line.clear()
            text = text.rstrip() if self.state.pre else _MANY_SPACES.sub(" ", text).strip(" \t\r\n\xa0")
            if text and not text.isascii():
                text = _INVISIBLE.sub("", text).replace("\xa0", " ").strip()
            if text or keep_empty:
                self.add(text)
        elif keep_empty:
            self.add("")

    def add(self, text: str) -> None:
        state = self.state
        mark = state.mark or ("cut" if self.cut else "")
        if self.gap:
            self.gap = False
            if self.lines and self.lines[-1].text:
                before = self.lines[-1]
                self.lines.append(
                    Line("", min(before.depth, state.depth), before.mark if before.mark == mark else "")
                )
        if not text and len(self.lines) > 1 and not self.lines[-1].text and not self.lines[-2].text:
            return
        self.lines.append(Line(text, state.depth, mark))

    def finish(self) -> Rendered:
        lines = self.lines
        while lines and not lines[0].text:
            lines.pop(0)
        while lines and not lines[-1].text:
            lines.pop()
        text = "\n".join("> " * line.depth + line.text if line.depth else line.text for line in lines)
        return Rendered(text, tuple(lines), self.hidden, self.marked)


def _hides(lowered: str, background: bool) -> bool:
    if "style" in lowered:
        style = _STYLE.search(lowered)
        if style is not None:
            written = style[1] or style[2] or style[3] or ""
            if _HIDING.search(written):
                return True
            return not background and "color" in written and _WHITE.search(written) is not None
    if "color" in lowered and not background and _WHITE.search(lowered):
        return True
    return "hidden" in lowered and re.search(r"(?:^|\s)hidden(?:\s|=|/|$)", lowered) is not None
