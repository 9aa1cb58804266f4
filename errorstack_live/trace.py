"""A stack trace as frames, for grouping, for an error's place, and to be read on a page.

Knows what JavaScript (V8, Gecko, WebKit, Hermes), Python, Java, C# (.NET and Mono), PHP, Ruby, Go,
Objective-C, Swift and Perl print, and JSON lists of frames. A line that is no frame is passed over.
Frames come with the place of the throw first, whatever order the language prints. Reads the first
``MAX_CHARS`` characters; a line over ``MAX_LINE_CHARS`` is no frame.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from errorstack_live.model import JSON

MAX_CHARS = 16_384
MAX_LINE_CHARS = 500
MAX_FRAMES = 400
"""Of a list of frames."""
MAX_CONTEXT_LINES = 10
"""Of source above a frame's own line, and as many below."""
MAX_LINE_NUMBER = 999_999_999


@dataclass(frozen=True, slots=True)
class Frame:
    """One call. Text may be empty, ``line`` and ``column`` 0; ``is_app``: not a library's.

    ``source`` is the line of code where the sender gave it, with what stands ``above`` and
    ``below`` it.
    """

    file: str
    function: str
    line: int
    is_app: bool
    column: int = 0
    source: str = ""
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """Frames, the place of the throw first; ``words`` are the lines between that are none."""

    frames: tuple[Frame, ...]
    words: tuple[str, ...] = ()


_PLACE = r":(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?"
_AT_SHAPES = {  # of lines that begin with "at "; tried in this order
    "c#": r"(?P<function>[^()]+\([^()]*\))(?: \[0x[0-9a-f]+\])?"
    r" in (?P<file>.+):(?:line )?(?P<line>\d{1,9})$",
    "java": r"(?P<function>[\w.$/<>@-]+)\((?P<file>[\w$-]+\.\w+)(?::(?P<line>\d{1,9}))?\)"
    r"(?: ~?\[[^\[\]]*\])?$",
    "v8 eval": r"(?:async )?(?P<function>[^()]+) \(eval at [^()]* \((?P<file>[^()]+?)"
    + _PLACE
    + r"\), [^()]*\)$",
    "v8 wasm": r"(?P<function>[^()]+) \((?P<file>\S+?):wasm-function\[\d{1,9}\]"
    r"(?::0x[0-9a-f]+)?\)$",
    "v8": r"(?:async )?(?P<function>[^()]+) \((?:address at )?(?P<file>.+?)" + _PLACE + r"\)$",
    "v8 native": r"(?:async )?(?P<function>[^()]+) \((?P<file><anonymous>|native)\)$",
    "no place": r"(?P<function>[\w.$/<>`+\[\],@-]+)\([^():]*\)$",
    "mono, no place": r"(?=[^\s(]*\.)(?P<function>[\w.$/<>`+\[\],@-]+) \([^():]*\)"
    r"(?: \[0x[0-9a-f]+\])?$",
    "v8 unnamed": r"(?:async )?(?=\S*[/.\\])(?P<file>\S+?|[A-Za-z]:\\.+?)" + _PLACE + "$",
}
_SHAPES = {  # of the other lines
    "python": r'File "(?P<file>[^"]+)", line (?P<line>\d{1,9})(?:, in (?P<function>.+))?$',
    "gecko eval": r"(?P<function>[^@]*)@(?P<file>\S+) line (?P<line>\d{1,9}) > (?:eval|Function)",
    "gecko, webkit": r"(?P<function>[^@]*)@(?P<file>(?:[a-z][a-z\d+.-]*:/|/)\S*?)" + _PLACE + "$",
    "jsc": r"(?P<function>[^@\s]*)@(?P<file>[^\s:]*):?(?P<line>\d{1,9}):(?P<column>\d{1,9})$",
    "webkit native": r"(?P<function>[^@]*)@(?P<file>\[native code\])$",
    "php": r"#\d{1,4} (?P<file>.+?)\((?P<line>\d{1,9})\): (?P<function>[^(]*)",
    "php native": r"#\d{1,4} (?P<file>\[internal function\]): (?P<function>[^(]*)",
    "ruby": r"(?:\d{1,4}: )?(?:from )?(?P<file><internal:[^:>]+>|(?:[A-Za-z]:)?[^:]+)"
    r":(?P<line>\d{1,9}):in [`'](?P<function>[^']*)'",
    "go": r"(?P<file>\S.*\.go|_cgo_\S+):(?P<line>\d{1,9})(?: \+0x[0-9a-f]+)?$",
    "objective-c": r"\d{1,3}\s+(?P<file>\S+(?: \S+){0,3}?)\s+0x[0-9a-f]{8,16} (?P<function>.+)$",
    "gnustep": r"(?P<file>[^\s()]+)\((?P<function>[^()+]*)(?:\+0x[0-9a-f]+)?\) ?\[0x[0-9a-f]+\]$",
    "perl": r"(?P<function>[\w:]+)\(.*\) called at (?P<file>\S+) line (?P<line>\d{1,9})\.?$",
}
_AT_MATCHERS = tuple(re.compile(shape).match for shape in _AT_SHAPES.values())
_MATCHERS = tuple(re.compile(shape).match for shape in _SHAPES.values())

_LIBRARY = re.compile(
    r"node_modules|node:|internal/|webpack/|webpack-internal|site-packages|dist-packages"
    r"|/lib/python\d|/usr/lib/|/usr/local/lib/|/usr/local/go/|/usr/share/|/lib/x86_64|/vendor/"
    r"|/gems/|/ruby/\d|/pkg/mod/|<frozen |<anonymous>|\[native code\]|native$|\[internal function\]"
    r"|<internal:|<string>|<stdin>|InternalBytecode\.js|chrome-extension:|moz-extension:|safari-web-extension:|jquery[.-]"
    r"|//(?:cdn\.jsdelivr\.net|unpkg\.com|cdnjs\.cloudflare\.com|www\.googletagmanager\.com)/"
    r"|/wp-includes/|/wp-admin/|/_cgo_"
    # What stands in the place of a file in Apple's traces is a binary's name.
    r"|(?:CoreFoundation|Foundation|UIKit|UIKitCore|AppKit|SwiftUI|QuartzCore|CFNetwork|WebKit"
    r"|GraphicsServices|HIToolbox|FrontBoardServices|dyld|lib(?:objc|dyld|dispatch|swift|system"
    r"|c\+\+|xpc)[\w.+-]*)$"
)
_NAMED_LIBRARY = re.compile(  # where a library's own name stands in its path
    r".*(?:node_modules|site-packages|dist-packages)/(?P<module>(?:@[^/]+/)?[^/@]+?)(?:\.py)?(?:[/@]|$)"
    r"|.*/gems/(?P<gem>[^/]+?)-\d[^/]*/|.*/vendor/(?P<vendor>[^/]+/[^/]+)/"
    r"|.*/pkg/mod/(?P<mod>[^@]+)@|(?P<node>node):|.*/lib/(?P<python>python)\d"
    r"|.*/usr/local/(?P<go>go)/|.*/(?P<wordpress>wp)-(?:includes|admin)/"
)
_LIBRARY_FUNCTION = re.compile(
    r"(?:java\.base/|javax?\.|jdk\.|sun\.|com\.sun\.|kotlin[x.]|scala\.|groovy\.|android\.|androidx\."
    r"|dalvik\.|com\.android\.|org\.(?:springframework|apache|hibernate|junit|eclipse)\."
    r"|System\.|Microsoft\.|Mono\.|MS\.)"
)
_SKIPPED = re.compile(
    r"[~^\s]*$|(?:Exception Group )?Traceback \(most recent|Stack trace:$|#\d{1,4} \{main\}$"
    r"|goroutine \d+ \[|[+-]*-(?: \d+ -+)?$|\d{1,4}$"
    r"|\[Previous line repeated |\.\.\. \d+ (?:more|common frames)"
    r"|at async Promise\.\w+ \(index \d+\)|--- End of (?:stack trace|inner exception)"
    r"|thrown in |\(\d+ additional frame"
)
_JOINED = re.compile(r",(?=[^\s,]+:\d+:in [`']|\s?at |#\d+ |[^@\s,]*@[^\s,]+:\d)")
_MARGIN = " \t|+-"
"""What Python draws at the left of the exceptions of a group."""
_UNKNOWN_FILE = re.compile(r"<(?:[0-9a-f]{8,}|filename unknown)")
_INSTRUCTION = re.compile(r" \+ \d{1,9}(?: \([^()]*\))?$")


def of(value: JSON) -> Trace:
    """Read a trace as a sender gave it: text, a list of its lines, or a list of frames."""
    if isinstance(value, list):
        listed = [_listed(each) for each in value[:MAX_FRAMES] if isinstance(each, dict)]
        if listed:
            return Trace(tuple(frame for frame in listed if frame))
        return parse("\n".join(line for line in value if isinstance(line, str)))
    return parse(value) if isinstance(value, str) else Trace(())


def text(value: JSON) -> str:
    """Return a list of frames as a trace's text, or "" for anything else."""
    if not isinstance(value, list) or not any(isinstance(each, dict) for each in value):
        return ""
    return "\n".join(_line(frame) for frame in of(value).frames)


def frames(trace: str) -> tuple[Frame, ...]:
    """Read the frames of a raw stack trace, the place of the throw first."""
    return parse(trace).frames


def library(frame: Frame) -> str:
    """Return the name of a library's frame's library, as far as its path or function tells."""
    path = frame.file.replace("\\", "/")
    if named := _NAMED_LIBRARY.match(path):
        return str(named[named.lastgroup or 0])
    if _LIBRARY_FUNCTION.match(frame.function):
        package = frame.function.rpartition("/")[2].split("(")[0].split(".")
        return ".".join(package[: 3 if package[0] in {"org", "com"} else 2])
    return "" if "/" in path or path.startswith(("<", "[", "native")) else path


def parse(trace: str) -> Trace:
    """Read a raw stack trace. Never raises, and is linear in its length."""
    return _parse(trace[:MAX_CHARS])


@lru_cache(maxsize=64)  # an error's is read for its place and for its fingerprint; storms repeat
def _parse(trace: str) -> Trace:
    found: list[Frame] = []
    words: list[str] = []
    python_count, has_header = 0, False
    for line in _lines(trace):
        stripped = line.strip(_MARGIN if line.lstrip().startswith(("|", "+-", "+ ")) else None)
        stripped = stripped.removesuffix(" {")  # Node prints an error's own fields behind it
        frame = _frame(stripped) if len(stripped) <= MAX_LINE_CHARS else None
        if frame is not None:
            python_count += stripped.startswith("File ")
            found.append(_called(frame, words) if frame.file.endswith(".go") else frame)
        elif found and not found[-1].source and _is_source(line, found[-1]):
            found[-1] = replace(found[-1], source=stripped)
        elif stripped == "Stack trace:" and words and (thrown := _thrown(words[-1])):
            found.append(thrown)  # PHP says so in words
        elif _SKIPPED.match(stripped):
            has_header |= "Traceback" in stripped
        else:
            words.append(stripped[:MAX_LINE_CHARS])
    if has_header or python_count * 2 > len(found):
        found.reverse()
    return Trace(tuple(found), tuple(words))


def _lines(trace: str) -> Iterable[str]:
    """Lines; a trace on one line has its frames set apart by commas (PROTOCOL 9)."""
    if "\n" in trace:
        return trace.splitlines()
    return _JOINED.split(trace) if "," in trace else (trace,)


@lru_cache(maxsize=4096)  # the same lines come again and again, in one trace after the other
def _frame(line: str) -> Frame | None:
    is_at = line.startswith("at ")
    start = 3 if is_at else 0
    for match in _AT_MATCHERS if is_at else _MATCHERS:
        if found := match(line, start):
            return _read(found.groupdict(default=""))
    return None


def _read(parts: dict[str, str]) -> Frame:
    file, function = parts.get("file", ""), parts.get("function", "").strip()
    function = _INSTRUCTION.sub("", function)
    line, column = int(parts.get("line") or 0), int(parts.get("column") or 0)
    if _UNKNOWN_FILE.match(file):  # Mono's, of code without its symbols
        file, line = "", 0
    return Frame(file, function, line, _is_app(file, function), column)


def _is_app(file: str, function: str) -> bool:
    return not _LIBRARY.search(file) and not _LIBRARY_FUNCTION.match(function)


def _called(frame: Frame, words: list[str]) -> Frame:
    """Give a Go frame its function, which stands on the line before."""
    if not words:
        return frame
    line = words[-1].removeprefix("created by ")
    if not line.endswith(")") and line == words[-1]:
        return frame
    del words[-1]
    name = line.rpartition("(")[0] if line.endswith(")") else line.partition(" in goroutine ")[0]
    return replace(frame, function=name)


def _is_source(line: str, frame: Frame) -> bool:
    """Whether this is the line of code that Python prints, indented, below its frame."""
    text = line.lstrip(" |+")
    is_indented = len(line) - len(text) >= 4
    return is_indented and frame.column == 0 and text.strip("~^ ") != "" and frame.file != ""


def _thrown(words: str) -> Frame | None:
    file, _, line = words.rpartition(" in ")[2].rpartition(":")
    if not file or not line.isdecimal() or len(line) > len(str(MAX_LINE_NUMBER)):
        return None
    return Frame(file, "", int(line), _is_app(file, ""))


# Lists of frames


_FILE_NAMES = ("file", "filename", "abs_path", "fileName", "path", "url")
_FUNCTION_NAMES = ("function", "method", "functionName", "name")
_LINE_NAMES = ("line", "lineno", "lineNumber")
_COLUMN_NAMES = ("column", "colno", "columnNumber", "col")
_SOURCE_NAMES = ("source", "context_line", "code")
_ABOVE_NAMES = ("above", "pre_context")
_BELOW_NAMES = ("below", "post_context")
_APP_NAMES = ("in_app", "is_app", "app")


def _listed(given: dict[str, JSON]) -> Frame | None:
    file, function = _word(given, _FILE_NAMES), _word(given, _FUNCTION_NAMES)
    if not file and not function:
        return None
    told = next((given[name] for name in _APP_NAMES if isinstance(given.get(name), bool)), None)
    return Frame(
        file,
        function,
        _number(given, _LINE_NAMES),
        bool(told) if told is not None else _is_app(file, function),
        _number(given, _COLUMN_NAMES),
        _word(given, _SOURCE_NAMES),
        _context(given, _ABOVE_NAMES)[-MAX_CONTEXT_LINES:],
        _context(given, _BELOW_NAMES)[:MAX_CONTEXT_LINES],
    )


def _values(given: dict[str, JSON], names: Iterable[str]) -> Iterator[JSON]:
    return (given[name] for name in names if name in given)


def _word(given: dict[str, JSON], names: Iterable[str]) -> str:
    texts = (each for each in _values(given, names) if isinstance(each, str) and each)
    return next(texts, "")[:MAX_LINE_CHARS]


def _number(given: dict[str, JSON], names: Iterable[str]) -> int:
    for each in _values(given, names):
        if isinstance(each, int) and 0 <= each <= MAX_LINE_NUMBER:
            return int(each)
        if isinstance(each, str) and each.isdecimal() and len(each) <= len(str(MAX_LINE_NUMBER)):
            return int(each)
    return 0


def _context(given: dict[str, JSON], names: Iterable[str]) -> tuple[str, ...]:
    lines = next((each for each in _values(given, names) if isinstance(each, list)), [])
    return tuple(line[:MAX_LINE_CHARS] for line in lines if isinstance(line, str))


def _line(frame: Frame) -> str:
    place = (
        f"{frame.file}:{frame.line}:{frame.column}"
        if frame.column
        else f"{frame.file}:{frame.line}"
    )
    return f"at {frame.function or '(anonymous)'} ({place})"
