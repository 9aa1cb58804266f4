"""What a program printed, line by line, as errors and log messages. It does no I/O."""

import re
from collections import deque
from dataclasses import dataclass, field

MAX_BLOCK_LINES = 200
"""Of one error; what follows belongs to the log again."""
BEFORE_LINES = 10
"""Lines kept with an error, as what came before it."""
TRACEBACK = "Traceback (most recent call last):"
ERROR = re.compile(
    r"\b(?:error|fatal|critical|panic|exception|traceback)\b|[a-z](?:Error|Exception)\b",
    re.IGNORECASE,
)
_LEVELS = (("fatal", ("fatal", "critical", "panic")), ("warning", ("warn",)))
_GOES_ON = re.compile(
    r"\s|at |Caused by|\.\.\. \d+ more|During handling|The above exception|goroutine "
)


@dataclass(slots=True)
class Lines:
    """Takes lines without their ends, and gives what is whole: fields of errors, or texts.

    An error begins with a line that ``pattern`` finds something in (every line, without one), and
    goes on with indented lines, "at …", "Caused by …"; a traceback of Python to its last line.
    """

    pattern: re.Pattern[str] | None = ERROR
    _block: list[str] = field(default_factory=list)
    _before: deque[str] = field(default_factory=lambda: deque(maxlen=BEFORE_LINES))

    @property
    def is_open(self) -> bool:
        """Whether an error waits for its further lines."""
        return bool(self._block)

    def take(self, line: str) -> list[dict[str, str] | str]:
        """Take one line; returns what it completed, in order."""
        if self._block and self._goes_on(line):
            self._block.append(line)
            return [] if len(self._block) < MAX_BLOCK_LINES else self.end()
        done = self.end()
        if not line.strip():
            return done
        if self.pattern is None or self.pattern.search(line):
            self._block = [line]
            return done
        self._before.append(line)
        return [*done, line]

    def end(self) -> list[dict[str, str] | str]:
        """Whatever still waited: the program is silent, or has ended."""
        block, self._block = self._block, []
        if not block:
            return []
        found = _fields(block, list(self._before))
        self._before.extend(block)
        return [found]

    def _goes_on(self, line: str) -> bool:
        first, last = self._block[0], self._block[-1]
        if not line.strip() or (first.endswith(TRACEBACK) and _is_inside(last)):
            return True
        return bool(_GOES_ON.match(line)) or (line.endswith(TRACEBACK) and not last.strip())


def _is_inside(line: str) -> bool:
    """Whether a traceback's last line, the exception, is still to come."""
    return line.startswith((" ", "\t")) or line.endswith(TRACEBACK)


def _fields(block: list[str], before: list[str]) -> dict[str, str]:
    while not block[-1].strip():
        block.pop()
    is_python = block[0].endswith(TRACEBACK) and len(block) > 1
    message = (block[-1] if is_python else block[0]).strip()
    fields = {"Msg": message, "level": _level(message)}
    if len(block) > 1:
        fields["stack"] = "\n".join(block)
    if before:
        fields["before"] = "\n".join(before)
    return fields


def _level(message: str) -> str:
    words = message.lower()
    found = (level for level, signs in _LEVELS if any(sign in words for sign in signs))
    return next(found, "error")
