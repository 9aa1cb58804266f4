"""What an error may be the first of in its stack to have: names of fields, and their values.

``Error.new`` names what it was the first of, in the words that are made here.
"""

from collections.abc import Iterator

from errorstack_live.model import JSON, Fields

ISSUE = "issue"
MAX_ERROR_FIELDS = 64
"""Of one error's fields so many are looked at, in the order sent."""
MAX_DEPTH = 4
"""A field of a field …; what is deeper is not looked at."""
MAX_NAME_CHARS = 120
MAX_VALUE_CHARS = 80
"""A longer name is not looked at; a longer value is none that fields have few of."""


def field_word(name: str) -> str:
    """What ``new`` says of a field that no error had before."""
    return f"field:{name}"


def value_word(name: str, value: str) -> str:
    """What ``new`` says of a value that this field did not have before."""
    return f"value:{name}={value}"


def named(fields: Fields) -> Iterator[tuple[str, str | None]]:
    """Yield the names of fields, dotted where they are nested, with their values as text.

    None stands for a value that is not one of few: long text, a list, a number with a fraction.
    """
    left = MAX_ERROR_FIELDS
    for name, value in _walked(fields, "", 1):
        if left == 0:
            return
        left -= 1
        if len(name) <= MAX_NAME_CHARS:
            yield name, _text(value)


def _walked(fields: Fields, path: str, depth: int) -> Iterator[tuple[str, JSON]]:
    for name, value in fields.items():
        if isinstance(value, dict) and value and depth < MAX_DEPTH:
            yield from _walked(value, f"{path}{name}.", depth + 1)
        else:
            yield path + name, value


def _text(value: JSON) -> str | None:
    if isinstance(value, str):
        return value if len(value) <= MAX_VALUE_CHARS else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() < 64:
        return str(value)
    return None
