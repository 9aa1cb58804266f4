"""A stack trace's text as frames, for grouping and for an error's place.

Knows the shapes of JavaScript (all engines), Python, Java, C#, PHP, Ruby and Go. A line that is
no frame is passed over. Frames come with the place of the throw first, whatever order the
language
prints. Reads the first ``MAX_CHARS`` characters; a line over ``MAX_LINE_CHARS`` is no frame.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_CHARS = 16_384
MAX_LINE_CHARS = 500


@dataclass(frozen=True, slots=True)
class Frame:
    """One call. ``file`` and ``function`` may be empty, ``line`` 0; ``is_app``: not a library's."""

    file: str
    function: str
    line: int
    is_app: bool


_AT = r"\s{0,8}at "
_PLACE = r":(?P<line>\d{1,9})(?::\d{1,9})?"  # line and column
_SHAPES = {  # tried in this order; each reads a line once, from its start
    "python": r'\s{0,8}File "(?P<file>[^"]+)", line (?P<line>\d{1,9})(?:, in (?P<function>.+))?$',
    "c#": _AT + r"(?P<function>[^()]+\([^()]*\)) in (?P<file>.+):line (?P<line>\d{1,9})$",
    "java": _AT + r"(?P<function>[\w.$/<>@-]+)\((?P<file>[\w$-]+\.\w+)(?::(?P<line>\d{1,9}))?\)$",
    "no place": _AT + r"(?P<function>[\w.$/<>`+\[\],@-]+)\([^():]*\)$",
    "v8": _AT + r"(?P<function>[^()]+) \((?P<file>[^()]+?)" + _PLACE + r"\)$",
    "v8 unnamed": _AT + r"(?P<function>)(?P<file>\S+?)" + _PLACE + "$",
    "gecko, webkit": r"\s{0,8}(?P<function>[^@\s]*)@(?P<file>\S+?)" + _PLACE + "$",
    "php": r"\s{0,8}#\d{1,4} (?P<file>[^()]+)\((?P<line>\d{1,9})\): (?P<function>[^(]*)",
    "ruby": r"\s{0,8}(?:from )?(?P<file>[^:\s]+\.\w+):(?P<line>\d{1,9})"
    r":in [`'](?P<function>[^']*)'",
    "go": r"\s{1,8}(?P<function>)(?P<file>\S+\.go):(?P<line>\d{1,9})(?: \+0x[0-9a-f]+)?$",
}
_MATCHERS = tuple(re.compile(shape).match for shape in _SHAPES.values())

_LIBRARY = re.compile(
    r"node_modules|node:|internal/|webpack/|webpack-internal|site-packages|dist-packages"
    r"|/lib/python\d|/usr/lib/|/usr/local/lib/|/usr/local/go/|/vendor/|/gems/|/ruby/\d|/pkg/mod/"
    r"|<frozen |<anonymous>|\[native code\]|chrome-extension:|moz-extension:"
    r"|jquery[.-]|/wp-includes/"
)
_LIBRARY_FUNCTION = re.compile(
    r"(?:javax?|jdk|sun|com\.sun|kotlin|scala|groovy|org\.(?:springframework|apache|hibernate|junit)"
    r"|System|Microsoft|Mono|MS)\."
)


def frames(trace: str) -> tuple[Frame, ...]:
    """Read the frames of a raw stack trace, the place of the throw first."""
    return _frames(trace[:MAX_CHARS])


@lru_cache(maxsize=64)  # an error's place and its fingerprint ask for the same frames
def _frames(trace: str) -> tuple[Frame, ...]:
    if "\n" not in trace and "," in trace:
        trace = trace.replace(",", "\n")  # Ruby's and Kynetx's, joined with commas (PROTOCOL 9)
    lines = trace.splitlines()
    found = tuple(frame for line in lines if (frame := _frame(line.rstrip())))
    is_innermost_last = any(line.lstrip().startswith("Traceback (most") for line in lines)
    return found[::-1] if is_innermost_last else found


def _frame(line: str) -> Frame | None:
    if len(line) > MAX_LINE_CHARS:
        return None
    for match in _MATCHERS:
        if found := match(line):
            parts = found.groupdict(default="")
            file, function = parts.get("file", ""), parts["function"].strip()
            return Frame(file, function, int(parts.get("line") or 0), _is_app(file, function))
    return None


def _is_app(file: str, function: str) -> bool:
    return not _LIBRARY.search(file) and not _LIBRARY_FUNCTION.match(function)
