"""Find which metrics and labels a PromQL expression names, and refuse one whose brackets or words make no sense.

No parser of PromQL: it knows what our own rules and dashboard use. Source: Prometheus, Querying basics and Operators.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d+)?(?:e\d+)?(?![a-z])|\d+[smhdwy])"""
    r"""|(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)|(?P<operator>=~|!~|!=|==|<=|>=|[-+*/%^=<>(){}\[\],])"""
)
_FUNCTIONS = {
    *("absent", "delta", "histogram_quantile", "increase", "label_values", "max", "min", "rate", "sum", "time", "topk"),
}
_GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_OPERATORS = {"and", "or", "unless", "bool", "offset"}
_CLOSES = {"(": ")", "{": "}", "[": "]"}


class NotUnderstood(Exception):
    """An expression that is no PromQL, or uses more of it than is known here."""


@dataclass
class Used:
    """What an expression names."""

    metrics: set[str] = field(default_factory=set)
    selected: dict[str, set[str]] = field(default_factory=dict)
    """Metric → labels in its braces."""
    grouped: set[str] = field(default_factory=set)


def used(expression: str) -> Used:
    """Return what an expression names. Raises: NotUnderstood."""
    tokens = _tokens(expression.replace("$__rate_interval", "5m"))
    _check_brackets(tokens)
    found = Used()
    depth = grouping = 0
    metric = ""
    for number, (kind, text) in enumerate(tokens):
        after = tokens[number + 1][1] if number + 1 < len(tokens) else ""
        depth += {"{": 1, "}": -1}.get(text, 0)
        if grouping and text in "()":
            grouping += 1 if text == "(" else -1
            grouping = 0 if grouping == 1 else grouping
        if kind != "word":
            continue
        if depth:
            found.selected.setdefault(metric, set()).add(text)
        elif grouping:
            found.grouped.add(text)
        elif text in _GROUPING:
            grouping = 1
        elif after == "(" or after in _GROUPING:
            _known(text, _FUNCTIONS)
        elif text not in _OPERATORS:
            metric = text
            found.metrics.add(text)
    return found


def _known(word: str, words: set[str]) -> None:
    if word not in words:
        raise NotUnderstood(f"{word} is no function that is known here")


def _tokens(expression: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise NotUnderstood(f"{expression[at : at + 20]!r}")
        if match.lastgroup != "space":
            found.append((str(match.lastgroup), match[0]))
        at = match.end()
    return found


def _check_brackets(tokens: list[tuple[str, str]]) -> None:
    waiting: list[str] = []
    for kind, text in tokens:
        if kind == "operator" and text in _CLOSES:
            waiting.append(_CLOSES[text])
        elif kind == "operator" and text in _CLOSES.values() and (not waiting or waiting.pop() != text):
            raise NotUnderstood(f"{text} closes nothing")
    if waiting:
        raise NotUnderstood(f"{waiting[-1]} is missing")
