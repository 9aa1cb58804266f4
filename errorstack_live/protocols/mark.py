"""Markers through the ingest door: ``/mark?_s=KEY&_msg=deployed+2.4.1`` (docs/protocol.md, 11).

For whoever can make a request where something is done: a deploy script, a cron job. Answers JSON
unless ``_r=img`` asks for the pixel.
"""

from errorstack_live import decode
from errorstack_live.errors import BadSubmission
from errorstack_live.meaning import MESSAGE_NAMES, first
from errorstack_live.model import Draft, Kind, Parsed, Submission
from errorstack_live.protocols.beacon import GIF_REPLY, JSON_REPLY, MAX_KEY_CHARS, Beacon, word

MAX_TEXT_CHARS = 200
"""Of a marker; what is longer is cut and ends with an ellipsis."""


class Mark(Beacon):
    """The endpoint; its name and replies are the beacon's but for the form asked by nobody."""

    name = "mark"

    def __init__(self) -> None:
        super().__init__(Kind.MARKER)

    def hint(self, submission: Submission) -> str:
        """Tell the form of reply wanted by the query alone. Never raises."""
        return _form(word("_r", decode.form(submission.query).fields))

    def parse(self, submission: Submission) -> Parsed:
        """Read the key and the text. Raises BadSubmission without a text."""
        sources = [decode.form(submission.query).fields]
        bodies = decode.body(submission.body, submission.content_type, is_cut=False)
        sources += [body.fields for body in bodies[:1]]
        key = (word("_s", *sources) or word("s", *sources))[:MAX_KEY_CHARS]
        text = word("_msg", *sources) or next(
            (found for fields in sources if (found := first(fields, MESSAGE_NAMES))), ""
        )
        if not (text := one_line(text)):
            raise BadSubmission("A marker needs a text: _msg=deployed+2.4.1")
        return Parsed(key, (Draft({}, text=text),), _form(word("_r", *sources)))


def one_line(text: str) -> str:
    """A marker's text on one line, without anything unprintable, of MAX_TEXT_CHARS at most."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= MAX_TEXT_CHARS else line[: MAX_TEXT_CHARS - 1] + "…"


def _form(wanted: str) -> str:
    return GIF_REPLY if wanted.lower() in {"img", "gif"} else JSON_REPLY


MARK = Mark()
