"""Ready lines for the set-up page: how each kind of program sends, with a stack's real key."""

import re
from dataclasses import dataclass

_WORDS = re.compile(r"\b(?:URL|KEY)\b")  # not the URL in PHP's CURLOPT


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way to send; in ``template`` URL and KEY stand for the server's address and the key."""

    name: str
    label: str
    template: str

    def fill(self, url: str, key: str) -> "Filled":
        """The text to paste."""
        words = {"URL": url, "KEY": key}
        text = _WORDS.sub(lambda word: words[word.group()], self.template)
        return Filled(self.name, self.label, text)


@dataclass(frozen=True, slots=True)
class Filled:
    """A snippet with address and key."""

    name: str
    label: str
    text: str


SNIPPETS = (
    Snippet("curl", "curl", "curl 'URL/submit?_s=KEY&_r=json&Msg=Hello'"),
    Snippet(
        "script",
        "Web page",
        '<script src="URL/beacon.js" data-stack="KEY" async></script>',
    ),
    Snippet(
        "python",
        "Python logging",
        """import logging
from logging.handlers import HTTPHandler
from urllib.parse import urlsplit

class ErrorStackHandler(HTTPHandler):
    def __init__(self, url, key):
        to = urlsplit(url)
        super().__init__(
            to.netloc, f"/submit?_s={key}&_r=json", "POST", secure=to.scheme == "https"
        )

    def mapLogRecord(self, record):
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        fields = ("name", "levelname", "pathname", "lineno", "funcName", "exc_text")
        return {"Msg": record.getMessage(), **{name: getattr(record, name) for name in fields}}

handler = ErrorStackHandler("URL", "KEY")
handler.setLevel(logging.WARNING)
logging.getLogger().addHandler(handler)
logging.getLogger().error("Hello from Python")""",
    ),
    Snippet(
        "json",
        "JSON, any fields",
        """curl 'URL/submit?_s=KEY&_r=json' \\
  -H 'Content-Type: application/json' \\
  -d '{"Msg": "Hello", "level": "warning", "user": {"id": 733, "plan": "pro"}}'""",
    ),
    Snippet(
        "node",
        "Node",
        """process.on("uncaughtExceptionMonitor", (error) => {
  fetch("URL/submit?_s=KEY&_r=json", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ Msg: error.message, name: error.name, stack: error.stack }),
  }).catch(() => {});
});""",
    ),
    Snippet(
        "php",
        "PHP",
        """set_exception_handler(function (Throwable $e) {
    $body = ['_s' => 'KEY', '_r' => 'json', 'Msg' => $e->getMessage(),
        'type' => get_class($e), 'File' => $e->getFile(), 'Line' => $e->getLine(),
        'StackTrace' => $e->getTraceAsString()];
    $curl = curl_init('URL/submit');
    curl_setopt_array($curl, [CURLOPT_POSTFIELDS => http_build_query($body),
        CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 3]);
    curl_exec($curl);
});""",
    ),
    Snippet(
        "cron",
        "Cron, shell",
        "some-job || curl -so /dev/null URL/submit -d _s=KEY -d level=fatal --data-urlencode "
        '"Msg=some-job failed on $(hostname)"',
    ),
    Snippet("wget", "wget", "wget -q -O - 'URL/submit?_s=KEY&_r=json&Msg=Hello'"),
    Snippet(
        "form",
        "HTML form",
        """<form action="URL/submit" method="post">
  <input type="hidden" name="_s" value="KEY">
  <input name="Msg" value="Hello">
  <button>Send</button>
</form>""",
    ),
    Snippet(
        "image",
        "Image, no script",
        '<img src="URL/submit?_s=KEY&amp;Msg=Page+was+seen" alt="" width="1" height="1">',
    ),
    Snippet(
        "log", "Log message", "curl 'URL/log?_s=KEY&_r=json' --data-urlencode '_msg=deployed 2.4.1'"
    ),
)
"""In the order of the page; the first one is on the empty live view."""


def filled(url: str, key: str) -> list[Filled]:
    """All snippets for one server and one key."""
    return [each.fill(url, key) for each in SNIPPETS]
