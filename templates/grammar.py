"""Which words of the template language may be used: checked on the parsed template, before anything runs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

from templates import limits
from templates.errors import TemplateRefused, UnknownPlaceholder
from templates.placeholders import GROUPS, PLACEHOLDERS, Need, Type

FILTERS = frozenset({"capitalize", "lower", "upper", "trim", "length", "plural", "paragraphs", "quoted"})
"""Filters a template may use; each costs no more than the length of its value."""

LOOP_WORDS = frozenset({"index", "first", "last", "length"})
"""What may be asked of `loop` inside a loop."""

COMPARISONS = frozenset({"eq", "ne", "gt", "gteq", "lt", "lteq"})
MEMBERSHIP = frozenset({"in", "notin"})
"""Asked only of written words and a line of text."""

_PLAIN = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
)

_SAID: Mapping[type[nodes.Node], str] = {
    nodes.Call: "calls a function",
    nodes.Include: "includes another template",
    nodes.Import: "imports another template",
    nodes.FromImport: "imports another template",
    nodes.Extends: "extends another template",
    nodes.Block: "defines a block",
    nodes.Macro: "defines a macro",
    nodes.CallBlock: "calls a macro",
    nodes.FilterBlock: "filters a block",
    nodes.Assign: "sets a variable",
    nodes.AssignBlock: "sets a variable",
    nodes.With: "sets a variable",
    nodes.Test: "uses a test (`is …`); write `{% if name %}` to ask whether there is a value",
    nodes.Getitem: "takes an item by [ ]; write a dot",
    nodes.Concat: "joins text with ~; write the placeholders one after another",
    nodes.Mul: "multiplies",
    nodes.Pow: "raises to a power",
    nodes.Add: "adds",
    nodes.Sub: "subtracts",
    nodes.Div: "divides",
    nodes.FloorDiv: "divides",
    nodes.Mod: "formats with %",
    nodes.List: "makes a list",
    nodes.Tuple: "makes a tuple",
    nodes.Dict: "makes a dict",
    nodes.ScopedEvalContextModifier: "switches escaping",
    nodes.EvalContextModifier: "switches escaping",
}

ALLOWED = (
    "Templates may hold {{ placeholders }}, {% if %}, {% for line in deal.lines %} and the filters "
    + ", ".join(sorted(FILTERS))
    + "."
)


@dataclass(slots=True)
class _Walk:
    name: str
    used: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    count: int = 0

    def refuse(self, node: nodes.Node, problem: str) -> TemplateRefused:
        return TemplateRefused(self.name, problem, line=node.lineno, cure=ALLOWED)

    def statements(self, body: list[nodes.Node], scope: dict[str, str], depth: int, loops: int) -> None:
        for node in body:
            self._step(node, depth)
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        if not isinstance(part, nodes.TemplateData):
                            self.shown(part, scope, depth + 1)
                case nodes.If():
                    self.ask(node.test, scope)
                    self.expression(node.test, scope, depth + 1)
                    self.statements(node.body, scope, depth + 1, loops)
                    for other in node.elif_:
                        self.ask(other.test, scope)
                        self.expression(other.test, scope, depth + 1)
                        self.statements(other.body, scope, depth + 1, loops)
                    self.statements(node.else_, scope, depth + 1, loops)
                case nodes.For():
                    self.loop(node, scope, depth, loops)
                case _:
                    raise self.refuse(
                        node, _SAID.get(type(node), f"holds {type(node).__name__}, which is not allowed")
                    )

    def loop(self, node: nodes.For, scope: dict[str, str], depth: int, loops: int) -> None:
        if loops >= limits.LOOP_DEPTH:
            raise self.refuse(node, f"nests more than {limits.LOOP_DEPTH} loops")
        if node.recursive or node.test is not None:
            raise self.refuse(node, "uses a recursive or filtered loop")
        if not isinstance(node.target, nodes.Name):
            raise self.refuse(node, "unpacks a loop's items; take one name")
        target = node.target.name
        if (
            target in GROUPS
            or target in scope
            or target in ("loop", "words", "self", "true", "false", "none")
        ):
            raise self.refuse(node, f"names its loop variable {target!r}, which already means something else")
        path = self.path(node.iter, scope)
        if path is None or PLACEHOLDERS[path].type is not Type.LIST:
            raise self.refuse(node, "loops over something that is not a list placeholder")
        self.used.add(path)
        inner = {**scope, target: f"{path}[]", "loop": "loop"}
        self.statements(node.body, inner, depth + 1, loops + 1)
        self.statements(node.else_, scope, depth + 1, loops)

    def ask(self, test: nodes.Node, scope: dict[str, str]) -> None:
        """Note the placeholders whose presence a condition asks about."""
        match test:
            case nodes.And() | nodes.Or():
                self.ask(test.left, scope)
                self.ask(test.right, scope)
            case nodes.Not():
                self.ask(test.node, scope)
            case nodes.Name() | nodes.Getattr():
                path = self.path(test, scope)
                if path is not None:
                    self.asked.add(path)

    def shown(self, node: nodes.Expr | nodes.Node, scope: dict[str, str], depth: int) -> None:
        path = self.path(node, scope)
        if path is not None and path in PLACEHOLDERS and PLACEHOLDERS[path].type is Type.LIST:
            raise self.refuse(node, f"shows {path} as a whole; loop over it")
        self.expression(node, scope, depth)

    def expression(self, node: nodes.Node, scope: dict[str, str], depth: int) -> None:
        self._step(node, depth)
        path = self.path(node, scope)
        if path is not None:
            if path != "loop":
                self.used.add(path)
            return
        match node:
            case nodes.Const():
                if isinstance(node.value, str | int | bool) and len(str(node.value)) <= 1000:
                    return
                raise self.refuse(node, "holds a constant that is neither short text nor a whole number")
            case nodes.TemplateData():
                return
            case nodes.Filter():
                self.filter(node, scope, depth)
            case nodes.Compare():
                self.expression(node.expr, scope, depth + 1)
                for operand in node.ops:
                    if operand.op in MEMBERSHIP and self._words_in_line(node.expr, operand.expr, scope):
                        self.expression(operand.expr, scope, depth + 1)
                        continue
                    if operand.op not in COMPARISONS:
                        raise self.refuse(node, f"compares with {operand.op!r}")
                    self.expression(operand.expr, scope, depth + 1)
            case nodes.CondExpr() | nodes.And() | nodes.Or() | nodes.Not():
                if isinstance(node, nodes.CondExpr) and node.expr2 is None:
                    raise self.refuse(node, "has `if` without `else` inside {{ }}; write {% if %}")
                for child in node.iter_child_nodes():
                    self.expression(child, scope, depth + 1)
            case _:
                raise self.refuse(
                    node, _SAID.get(type(node), f"holds {type(node).__name__}, which is not allowed")
                )

    def _words_in_line(self, words: nodes.Expr, line: nodes.Expr, scope: dict[str, str]) -> bool:
        """Whether it asks for words in a line, which is the only thing that ``in`` is good for here."""
        path = self.path(line, scope)
        known = PLACEHOLDERS.get(path) if path is not None else None
        written = isinstance(words, nodes.Const) and isinstance(words.value, str)
        return written and known is not None and known.type is Type.LINE

    def filter(self, node: nodes.Filter, scope: dict[str, str], depth: int) -> None:
        if node.name not in FILTERS:
            raise self.refuse(node, f"uses the filter {node.name!r}")
        if node.node is None or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise self.refuse(node, f"gives the filter {node.name!r} arguments it does not take")
        if node.args and node.name != "plural":
            raise self.refuse(node, f"gives the filter {node.name!r} arguments it does not take")
        for argument in node.args:
            if not isinstance(argument, nodes.Const) or not isinstance(argument.value, str):
                raise self.refuse(node, 'needs words in quotes in `plural("день", "дня", "дней")`')
        of_list = self.type_of(node.node, scope) is Type.LIST
        if of_list and node.name != "length":
            raise self.refuse(node, f"gives a whole list to the filter {node.name!r}; loop over it")
        if node.name == "plural" and not self.counts(node.node, scope):
            raise self.refuse(
                node, "gives `plural` something that is not a count, such as `deal.lines | length`"
            )
        if node.name != "plural" and self.counts(node.node, scope):
            raise self.refuse(node, f"gives a count to the filter {node.name!r}")
        self.expression(node.node, scope, depth + 1)

    def type_of(self, node: nodes.Node, scope: dict[str, str]) -> Type | None:
        path = self.path(node, scope)
        placeholder = PLACEHOLDERS.get(path or "")
        return placeholder.type if placeholder else None

    def counts(self, node: nodes.Node, scope: dict[str, str]) -> bool:
        if isinstance(node, nodes.Filter):
            return node.name == "length"
        return self.type_of(node, scope) is Type.COUNT

    def path(self, node: nodes.Node, scope: dict[str, str]) -> str | None:
        """The placeholder an expression names, such as deal.lines[].price; "loop"; or None."""
        words: list[str] = []
        inner = node
        while isinstance(inner, nodes.Getattr):
            words.append(inner.attr)
            inner = inner.node
        if not isinstance(inner, nodes.Name):
            if words:
                raise self.refuse(node, "asks for an attribute of something that is not a placeholder")
            return None
        words.reverse()
        first = scope.get(inner.name, inner.name)
        if first == "loop":
            if len(words) == 1 and words[0] in LOOP_WORDS:
                return "loop"
            raise self.refuse(node, f"asks the loop for something else than {', '.join(sorted(LOOP_WORDS))}")
        path = ".".join([first, *words])
        if path in PLACEHOLDERS:
            return path
        close = difflib.get_close_matches(path, PLACEHOLDERS, n=1, cutoff=0.6)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise UnknownPlaceholder(
            self.name,
            f"names {path!r}, and there is no such placeholder.",
            line=node.lineno,
            cure=f"{hint}All are listed in docs/operate/placeholders.md.",
        )

    def _step(self, node: nodes.Node, depth: int) -> None:
        self.count += 1
        if self.count > limits.TAGS:
            raise self.refuse(node, f"holds more than {limits.TAGS} expressions and tags")
        if depth > limits.NESTING:
            raise self.refuse(node, f"nests deeper than {limits.NESTING}")


@dataclass(frozen=True, slots=True)
class Names:
    """The placeholders a template uses, and those among them without whose value it must not be rendered."""

    used: frozenset[str]
    needed: frozenset[str]


def check(tree: nodes.Template, name: str) -> Names:
    """The placeholders a parsed template names, all of them declared.

    A placeholder declared as needed is so in every template but one that asks about it with ``{% if … %}``.

    Raises `UnknownPlaceholder` for another name and `TemplateRefused` for anything else that is not on the
    allow-list: calls, attributes of values, arithmetic, tests, tags other than if and for, filters other
    than `FILTERS`.
    """
    walk = _Walk(name)
    walk.statements(tree.body, {}, 0, 0)
    needed = {path for path in walk.used - walk.asked if PLACEHOLDERS[path].need is Need.NEEDED}
    return Names(frozenset(walk.used), frozenset(needed))
