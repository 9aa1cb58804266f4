"""A query's text to its tree, or a QueryError at the offset of the first thing that is wrong.

    some = all {"OR" all}                all = one {["AND"] one}
    one  = ("-" | "NOT") one | "(" some ")" | word | "phrase" | name operator values

docs/query-language.md explains it; ``frontend/src/query.ts`` reads the same grammar, and
``tests/query/cases.json`` holds the two together.
"""

import re

from errorstack_live.errors import QueryError
from errorstack_live.meaning import LEVEL_WORDS
from errorstack_live.model import Level
from errorstack_live.query.node import (
    EVERYTHING,
    Compare,
    Equals,
    Like,
    Node,
    Present,
    Range,
    Term,
    Test,
    Words,
    all_of,
    not_of,
    some_of,
)

MAX_QUERY_CHARS = 2_000
MAX_TERMS = 50
MAX_BRACKETS = 20
MAX_WILDCARDS = 8

_BREAK = r' \t\r\n\f\v\u00a0()"'
_SPACE = re.compile(r"[ \t\r\n\f\v\u00a0]*")
_KEYWORD = re.compile(rf"(AND|OR|NOT)(?=[{_BREAK}]|$)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\]?)*+)"')
_ESCAPED = re.compile(r'\\(["\\])')
_ADDRESS = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*://[^{_BREAK}]*")
_NAME = re.compile(rf"[^{_BREAK}:<>]+(?=[:<>])")
_WORD = re.compile(rf"[^{_BREAK}]+")
_OPERATOR = re.compile(r":?(>=|<=|>|<)|:")
_ITEM = re.compile(rf"[^{_BREAK},]+")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_RANGE = re.compile(rf"({_NUMBER.pattern})\.\.({_NUMBER.pattern})")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

_BY_SEVERITY = tuple(Level)


def read(text: str) -> Node:
    """Return the tree of a query's text; an empty text is EVERYTHING."""
    if len(text) > MAX_QUERY_CHARS:
        raise QueryError(f"A query has at most {MAX_QUERY_CHARS} characters", at=MAX_QUERY_CHARS)
    return _Reader(_SURROGATE.sub("\ufffd", text)).query()


class _Reader:
    """One pass over the text; ``at`` is the offset of the next character to read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.term_count = 0
        self.open_brackets = 0

    def query(self) -> Node:
        self.skip_space()
        if self.is_end():
            return EVERYTHING
        node = self.some()
        if not self.is_end():
            raise self.wrong("There is no ( for this )")
        return node

    def some(self) -> Node:
        parts = [self.all()]
        while self.takes_keyword("OR"):
            parts.append(self.all())
        return some_of(parts)

    def all(self) -> Node:
        parts = [self.one()]
        while not self.is_closing():
            self.takes_keyword("AND")
            parts.append(self.one())
        return all_of(parts)

    def is_closing(self) -> bool:
        self.skip_space()
        return self.is_end() or self.text[self.at] == ")" or self.keyword() == "OR"

    def one(self) -> Node:
        self.skip_space()
        is_negated = False
        while self.takes_minus():
            is_negated = not is_negated
        node = self.operand()
        return not_of(node) if is_negated else node

    def takes_minus(self) -> bool:
        following = self.text[self.at : self.at + 2]
        if following.startswith("-") and following[1:].strip() not in {"", ")"}:
            self.at += 1
            return True
        return self.takes_keyword("NOT")

    def operand(self) -> Node:
        if self.is_end() or self.text[self.at] == ")" or self.keyword():
            raise self.wrong("Something to look for is missing here")
        if self.text[self.at] == "(":
            return self.bracketed()
        if self.text[self.at] == '"':
            return self.quoted_operand()
        return self.bare_operand()

    def bracketed(self) -> Node:
        start = self.at
        self.open_brackets += 1
        if self.open_brackets > MAX_BRACKETS:
            raise self.wrong(f"At most {MAX_BRACKETS} brackets can be open at once")
        self.at += 1
        node = self.some()
        if self.is_end():
            raise self.wrong("This bracket is not closed", at=start)
        self.at += 1
        self.open_brackets -= 1
        self.require_break()
        return node

    def quoted_operand(self) -> Node:
        start = self.at
        text = self.quoted()
        if _OPERATOR.match(self.text, self.at):
            return self.term(text)
        if not text:
            raise self.wrong("There is no text in these quotes", at=start)
        self.count_term(start)
        self.require_break()
        return Words(text)

    def bare_operand(self) -> Node:
        start = self.at
        if not _ADDRESS.match(self.text, start):
            if name := _NAME.match(self.text, start):
                self.at = name.end()
                if "*" in name[0]:
                    raise self.wrong("A name has no wildcards", at=start + name[0].index("*"))
                return self.term(name[0])
            if _OPERATOR.match(self.text, start):
                raise self.wrong("A name is missing here; text with : < > goes in quotes")
        text = _one_star(self.take(_WORD))
        self.count_term(start)
        self.count_wildcards(text, start)
        self.require_break()
        return EVERYTHING if text == "*" else Words(text, is_pattern="*" in text)

    def term(self, name: str) -> Node:
        operator = self.take(_OPERATOR).lstrip(":")
        name = name.replace("\0", "\u2400")  # as the decoder stores names
        tests = self.compared(name, operator) if operator else self.values(name)
        self.require_break()
        return Term(name, tests)

    def compared(self, name: str, operator: str) -> tuple[Test, ...]:
        start = self.at
        self.count_term(start)
        item = self.take(_ITEM)
        if name == "level" and item.lower() in LEVEL_WORDS:
            return _levels(operator, LEVEL_WORDS[item.lower()])
        if not _NUMBER.fullmatch(item):
            raise self.wrong(f"A number is missing after {operator}", at=start)
        return (Compare(operator, item),)

    def values(self, name: str) -> tuple[Test, ...]:
        tests = [self.value(name)]
        while self.text.startswith(",", self.at):
            self.at += 1
            tests.append(self.value(name))
        return tuple(dict.fromkeys(tests))

    def value(self, name: str) -> Test:
        start = self.at
        self.count_term(start)
        is_quoted = self.text.startswith('"', start)
        item = self.quoted() if is_quoted else self.take(_ITEM)
        if not item and not is_quoted:
            raise self.wrong(f"A value is missing after {name}; text with : goes in quotes")
        if name == "level" and item.lower() in LEVEL_WORDS:
            return Equals(LEVEL_WORDS[item.lower()].value)
        return Equals(item) if is_quoted else self.bare_value(item, start)

    def bare_value(self, item: str, start: int) -> Test:
        if not item.strip("*"):
            return Present()
        if "*" in item:
            self.count_wildcards(item, start)
            return Like(_one_star(item))
        if found := _RANGE.fullmatch(item):
            return Range(found[1], found[2])
        return Equals(item)

    def quoted(self) -> str:
        found = _QUOTED.match(self.text, self.at)
        if not found:
            raise self.wrong("This quote is not closed")
        self.at = found.end()
        return _ESCAPED.sub(r"\1", found[1])

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            return ""
        self.at = found.end()
        return found[0]

    def keyword(self) -> str:
        found = _KEYWORD.match(self.text, self.at)
        return found[1] if found else ""

    def takes_keyword(self, word: str) -> bool:
        self.skip_space()
        if self.keyword() != word:
            return False
        self.at += len(word)
        self.skip_space()
        return True

    def skip_space(self) -> None:
        self.take(_SPACE)

    def is_end(self) -> bool:
        return self.at >= len(self.text)

    def require_break(self) -> None:
        """Fail where a term is followed by something that does not belong to it."""
        if not self.is_end() and self.text[self.at] in '"(,':
            raise self.wrong(f"A space is missing before {self.text[self.at]}")

    def count_term(self, at: int) -> None:
        self.term_count += 1
        if self.term_count > MAX_TERMS:
            raise self.wrong(f"A query has at most {MAX_TERMS} terms", at=at)

    def count_wildcards(self, text: str, start: int) -> None:
        if text.count("*") > MAX_WILDCARDS:
            raise self.wrong(f"A text has at most {MAX_WILDCARDS} wildcards", at=start)

    def wrong(self, message: str, *, at: int | None = None) -> QueryError:
        return QueryError(message, at=self.at if at is None else at)


def _levels(operator: str, level: Level) -> tuple[Test, ...]:
    """Return the levels on one side of a level: ``level>=warning`` is warning and worse."""
    place = _BY_SEVERITY.index(level)
    worse, milder = _BY_SEVERITY[:place], _BY_SEVERITY[place + 1 :]
    chosen = worse if operator.startswith(">") else milder
    if operator.endswith("="):
        chosen = tuple(one for one in _BY_SEVERITY if one in {*chosen, level})
    return tuple(Equals(one.value) for one in chosen) or (Equals(""),)  # worse than fatal: none


def _one_star(text: str) -> str:
    return re.sub(r"\*+", "*", text)
