"""The built front end: its files from memory, compressed once, and their hashed addresses."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog
from quart import Quart, Response, request

from errorstack_live.errors import NotFound

FOLDER = Path(__file__).parent / "static"
HASHED = "assets/"
"""Where the build puts files whose names change with their content."""
HASHED_S = 31_536_000
NAMED_S = 3600
_PACKABLE = {".css", ".js", ".json", ".svg", ".txt", ".html"}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent; ``packed`` is its gzip form, empty where that saves nothing."""

    content: bytes
    packed: bytes
    kind: str
    tag: str


class Assets:
    """The files of ``folder``, read once; a front end that was not built yields no files."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.relative_to(folder).as_posix().startswith(".")
        }
        manifest = folder / ".vite" / "manifest.json"
        self._manifest = orjson.loads(manifest.read_bytes()) if manifest.is_file() else {}
        if not self._manifest:
            _log.warning("front_end_not_built", folder=str(folder))

    def url(self, source: str) -> str:
        """The address of what was built from a source file, or of a file served as it is."""
        built = self._manifest.get(source)
        return f"/static/{built['file'] if built else source}"

    def answer(self, name: str) -> Response:
        """Serve one file; raises NotFound."""
        file = self._files.get(name)
        if file is None:
            raise NotFound("No such file")
        is_packed = bool(file.packed) and request.accept_encodings.quality("gzip") > 0
        response = reply(file, is_packed=is_packed)
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = (
            f"public, max-age={HASHED_S}, immutable"
            if name.startswith(HASHED)
            else f"public, max-age={NAMED_S}"
        )
        return response


def reply(file: File, *, is_packed: bool) -> Response:
    """A file with its tag; for how long it keeps is the caller's to say."""
    response = Response(file.packed if is_packed else file.content, content_type=file.kind)
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(file.tag, weak=True)
    return response


def register(app: Quart) -> None:
    """Serve the front end under ``/static`` and tell templates where its parts are."""
    assets = Assets()
    app.jinja_env.globals["asset"] = assets.url

    @app.get("/static/<path:name>")
    async def static(name: str) -> Response:
        response = assets.answer(name)
        await response.make_conditional(request)
        return response


def read(path: Path) -> File:
    """One file, packed where that saves something."""
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0) if path.suffix in _PACKABLE else b""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind.endswith(("javascript", "json")):
        kind += "; charset=utf-8"
    tag = hashlib.sha256(content).hexdigest()[:20]
    return File(content, packed if len(packed) < len(content) else b"", kind, tag)
