r"""Regular expressions that mean the same in Python and in MongoDB's PCRE, and stay linear.

Case is spelled out as classes instead of a flag, whose Unicode tables differ; the end of text is
``(?![\s\S])``, because ``$`` also matches before a last newline; and each ``*`` is an atomic
group that takes the first place where its text follows, so nothing is ever tried twice.
"""

ANY = r"[\s\S]"
END = rf"(?!{ANY})"
MAX_STEPPED_CHARS = 65_534
"""A pattern that must step through a text reads no longer one: PCRE gives up, silently in a filter
and with an error in an expression, after some hundred thousand steps."""
_SHORT = f"(?!{ANY}{{{MAX_STEPPED_CHARS + 1}}})"
NUMERIC = r"(?:[0-9]{1,15}|-(?!0*(?:\.0*)?(?![\s\S]))[0-9]{1,15})(?:\.[0-9]{1,15})?"
"""A text that spells a number: at most 15 digits on each side of the point; "-0" is not one."""


def contains(segments: tuple[str, ...]) -> str:
    """Return the pattern of a text in which these texts follow each other."""
    if len(segments) == 1:
        return escape(segments[0])
    return "^" + "".join(f"(?>{ANY}*?{escape(segment)})" for segment in segments)


def like(pattern: str) -> str:
    """Return the pattern of a whole text in which ``*`` is any text and case does not matter."""
    start, *middle, end = map(_any_case, pattern.split("*"))
    between = [text for text in middle if text]
    if not between and not (start and end):
        return f"^{start}" if start else f"{end}{END}"
    if len(between) == 1 and not start and not end:
        return between[0]
    followed = "".join(f"(?>{ANY}*?{text})" for text in between)
    return f"^{_SHORT}{start}{followed}" + (f"{ANY}*{end}{END}" if end else "")


def compare(operator: str, number: str) -> str:
    """Return the pattern of the texts that spell a number in this relation to ``number``."""
    is_inclusive = operator in {">=", "<"}
    above = _above(number, is_inclusive=is_inclusive)
    shape = above if operator.startswith(">") else f"(?!{above}{END})[-0-9.]+"
    return f"^(?={NUMERIC}{END}){shape}{END}"


def escape(text: str) -> str:
    """Return a pattern of exactly this text; no control character is left in it."""
    return "".join(map(_literal, text))


def _literal(char: str) -> str:
    if char.isalnum() or ord(char) > 127:
        return char
    return f"\\x{ord(char):02x}" if ord(char) < 32 or ord(char) == 127 else f"\\{char}"


def _any_case(text: str) -> str:
    return "".join(map(_char, text))


def _char(char: str) -> str:
    """Return the character in both its cases, where each is one character."""
    cases = sorted({c for c in (char, char.lower(), char.upper()) if len(c) == 1})
    return f"[{''.join(cases)}]" if len(cases) > 1 else _literal(char)


def _above(number: str, *, is_inclusive: bool) -> str:
    """Return the shape of the numeric texts above (or at) a number."""
    digits, _, fraction = number.lstrip("-").partition(".")
    digits, fraction = digits.lstrip("0"), fraction.rstrip("0")
    larger, same = _larger(digits, fraction), _same(digits, fraction)
    if number.startswith("-") and (digits or fraction):
        nearer = f"(?!{larger}{END})" + ("" if is_inclusive else f"(?!{same}{END})")
        return f"(?:[0-9.]+|-{nearer}[0-9.]+)"
    return f"(?:{larger}|{same})" if is_inclusive else larger


def _same(digits: str, fraction: str) -> str:
    return f"0*{digits}" + (rf"\.{fraction}0*" if fraction else r"(?:\.0*)?")


def _larger(digits: str, fraction: str) -> str:
    """Return the shape of magnitudes over this one: compared digit by digit, as on paper."""
    rest, count = r"(?:\.[0-9]+)?", len(digits)
    longer = f"[1-9][0-9]{{{count}}}[0-9]*{rest}"
    higher = [f"{head}[0-9]{{{count - 1 - at}}}{rest}" for at, head in _raised(digits)]
    finer = [f"{head}[0-9]*" for _, head in _raised(fraction)]
    finer.append(f"{fraction}[0-9]*[1-9][0-9]*")
    return rf"0*(?:{'|'.join([longer, *higher])}|{digits}\.(?:{'|'.join(finer)}))"


def _raised(digits: str) -> list[tuple[int, str]]:
    """Return, for each digit that can be larger, its place and the shape up to it."""
    return [
        (at, f"{digits[:at]}[{int(digit) + 1}-9]") for at, digit in enumerate(digits) if digit < "9"
    ]
