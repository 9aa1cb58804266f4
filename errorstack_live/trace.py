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


_PLACE = r":(?P<line>\d{1,9})(?::\d{1,9})?"  # line and column
_AT_SHAPES = {  # of lines that begin with "at "; tried in this order
    "c#": r"(?P<function>[^()]+\([^()]*\)) in (?P<file>.+):line (?P<line>\d{1,9})$",
    "java": r"(?P<function>[\w.$/<>@-]+)\((?P<file>[\w$-]+\.\w+)(?::(?P<line>\d{1,9}))?\)$",
    "no place": r"(?P<function>[\w.$/<>`+\[\],@-]+)\([^():]*\)(?P<file>)(?P<line>)$",
    "v8": r"(?P<function>[^()]+) \((?P<file>[^()]+?)" + _PLACE + r"\)$",
    "v8 unnamed": r"(?P<function>)(?P<file>\S+?)" + _PLACE + "$",
}
_SHAPES = {  # of the other lines
    "python": r'File "(?P<file>[^"]+)", line (?P<line>\d{1,9})(?:, in (?P<function>.+))?$',
    "gecko, webkit": r"(?P<function>[^@\s]*)@(?P<file>\S+?)" + _PLACE + "$",
    "php": r"#\d{1,4} (?P<file>[^()]+)\((?P<line>\d{1,9})\): (?P<function>[^(]*)",
    "ruby": r"(?:from )?(?P<file>[^:\s]+\.\w+):(?P<line>\d{1,9}):in [`'](?P<function>[^']*)'",
    "go": r"(?P<function>)(?P<file>\S+\.go):(?P<line>\d{1,9})(?: \+0x[0-9a-f]+)?$",
}
_AT_MATCHERS = tuple(re.compile(shape).match for shape in _AT_SHAPES.values())
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
    trace = trace[:MAX_CHARS]
    if "\n" not in trace and "," in trace:
        trace = trace.replace(",", "\n")  # Ruby's and Kynetx's, joined with commas (PROTOCOL 9)
    lines = [line.strip() for line in trace.splitlines()]
    short = (line for line in lines if len(line) <= MAX_LINE_CHARS)
    found = tuple(frame for line in short if (frame := _frame(line)))
    is_innermost_last = any(line.startswith("Traceback (most") for line in lines)
    return found[::-1] if is_innermost_last else found


@lru_cache(maxsize=4096)  # the same lines come again and again, in one trace after the other
def _frame(line: str) -> Frame | None:
    is_at = line.startswith("at ")
    start = 3 if is_at else 0
    for match in _AT_MATCHERS if is_at else _MATCHERS:
        if found := match(line, start):
            parts = found.groupdict(default="")
            file, function = parts["file"], parts["function"].strip()
            return Frame(file, function, int(parts["line"] or 0), _is_app(file, function))
    return None


def _is_app(file: str, function: str) -> bool:
    return not _LIBRARY.search(file) and not _LIBRARY_FUNCTION.match(function)
