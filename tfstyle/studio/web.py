"""Addresses to answers: the page, pictures by id, JSON, and a stream of events."""

from __future__ import annotations

import html
import importlib.resources
import json
import queue
import secrets
import threading
from collections.abc import Iterator
from typing import Any

from werkzeug.exceptions import (
    BadRequest,
    Conflict,
    HTTPException,
    InternalServerError,
    LengthRequired,
    NotFound,
    RequestEntityTooLarge,
    ServiceUnavailable,
)
from werkzeug.routing import Map, Rule
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from tfstyle.config import TransferConfig
from tfstyle.io import decode, encode, untrusted
from tfstyle.io.files import reason
from tfstyle.studio.access import Access, guarded
from tfstyle.studio.instant import OWN, InstantStyles
from tfstyle.studio.orders import MOST_STYLES, SETTINGS
from tfstyle.studio.paintings import Paintings
from tfstyle.studio.store import Missing, Store
from tfstyle.studio.streams import Busy
from tfstyle.studio.worker import PREVIEW, RESULT

MOST_BYTES = 50_000_000  # of a picture
_LONGEST_JSON = 1 << 16  # bytes
_HEARTBEAT_SECONDS = 20.0  # a stream whose page has gone is found out by writing to it
_PAGE = {
    "index.html": "text/html",
    "studio.css": "text/css",
    "studio.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}

_RULES = Map(
    [
        Rule("/", endpoint="page", methods=["GET"]),
        Rule("/<any('studio.css','studio.js','icon.svg'):name>", endpoint="page", methods=["GET"]),
        Rule("/api/state", endpoint="state", methods=["GET"]),
        Rule("/api/events", endpoint="events", methods=["GET"]),
        Rule("/api/pictures", endpoint="upload", methods=["POST"]),
        Rule("/api/plan", endpoint="plan", methods=["POST"]),
        Rule("/api/paintings", endpoint="paint", methods=["POST"]),
        Rule(
            "/api/paintings/<identity>/<any(pause,resume,stop,remove):deed>", endpoint="do", methods=["POST"]
        ),
        Rule("/styles/<name>.jpg", endpoint="style", methods=["GET"]),
        Rule("/pictures/<identity>.jpg", endpoint="picture", methods=["GET"]),
        Rule("/pictures/<identity>/<name>/<size>.jpg", endpoint="thumbnail", methods=["GET"]),
        Rule("/paintings/<identity>/preview.jpg", endpoint="preview", methods=["GET"]),
        Rule("/paintings/<identity>/result.<any(png,jpg):suffix>", endpoint="result", methods=["GET"]),
    ]
)


class Studio:
    """The application, as WSGI has it.

    Args:
      folder: of its pictures and paintings.
      host: on which it is served.

    Attributes:
      access: which requests are answered.
      folder: with all links followed.

    Raises:
      OSError: the folder cannot be used, or another studio works in it.
    """

    def __init__(self, folder, host: str = "127.0.0.1"):
        self.access = Access(host)
        self._store = Store(folder)
        self.folder = self._store.folder
        self._instant = InstantStyles(self._store)
        self._paintings = Paintings(self._store, self._instant)
        self._store.remove_unused(self._paintings.used())
        self._started = secrets.token_hex(8)  # by which a page finds out that the studio was started anew
        self._converting = threading.Lock()

    def close(self) -> None:
        """Ends what is at work, with its state saved, and lets the folder go."""
        self._paintings.close()
        self._store.close()

    def __call__(self, environ: dict[str, Any], start_response):
        """Answers a request."""
        request = Request(environ)
        try:
            response = self.access.require(request) or self._answered(request)
        except HTTPException as error:
            response = _json({"error": error.description}, error.code)
        return guarded(response)(environ, start_response)

    def _answered(self, request: Request) -> Response:
        endpoint, values = _RULES.bind_to_environ(request.environ).match()
        try:
            return getattr(self, f"_{endpoint}")(request, **values)
        except Missing as error:
            raise NotFound(str(error.args[0])) from None
        except Busy as error:
            raise Conflict(str(error)) from None
        except ValueError as error:
            raise BadRequest(str(error)) from None
        except OSError as error:  # such as a full disk
            raise InternalServerError(reason(error)) from None

    def _page(self, request: Request, name: str = "index.html") -> Response:
        text = importlib.resources.files("tfstyle.studio").joinpath("page", name).read_text("utf-8")
        text = text.replace("{{token}}", html.escape(self.access.token)) if name == "index.html" else text
        return Response(text, content_type=f"{_PAGE[name]}; charset=utf-8")

    def _state(self, request: Request) -> Response:
        return _json(
            {
                "started": self._started,
                "pictures": [each for each in self._store.pictures() if each["kind"] != "mask"],
                "paintings": self._paintings.all(),
                "learned": self._instant.names,
                "own": list(OWN),
                "settings": {name: getattr(TransferConfig(), name) for name in SETTINGS},
                "limits": {"bytes": MOST_BYTES, "styles": MOST_STYLES},
            }
        )

    def _upload(self, request: Request) -> Response:
        name, kind = request.args.get("name", ""), request.args.get("kind", "photograph")
        return _json(self._store.add_picture(_body(request, MOST_BYTES), name, kind), 201)

    def _plan(self, request: Request) -> Response:
        return _json(self._paintings.plan(_asked(request)))

    def _paint(self, request: Request) -> Response:
        return _json(self._paintings.add(_asked(request)), 201)

    def _do(self, request: Request, identity: str, deed: str) -> Response:
        getattr(self._paintings, deed)(identity)
        return _json({})

    def _style(self, request: Request, name: str) -> Response:
        return _file(request, self._instant.shown(name), lasting=True)

    def _picture(self, request: Request, identity: str) -> Response:
        large = "large" in request.args
        path = self._store.path(identity) if large else self._store.small(self._store.picture(identity)["id"])
        return _file(request, path, lasting=True)

    def _thumbnail(self, request: Request, identity: str, name: str, size: str) -> Response:
        return _file(request, self._instant.painted(identity, name, size), lasting=True)

    def _preview(self, request: Request, identity: str) -> Response:
        return _file(request, self._store.painting_folder(identity) / PREVIEW)

    def _result(self, request: Request, identity: str, suffix: str) -> Response:
        """The finished picture; as a JPEG, it is what the command makes of the same name."""
        folder = self._store.painting_folder(identity)
        path = folder / RESULT
        if suffix == "jpg" and path.exists():
            with self._converting:
                note, (pixels, _) = encode.read_note(path), decode.decode(path, "result")
                path = folder / "result.jpg"
                encode.save_image(path, pixels, note)
        return _file(request, path, name=f"{identity[:8]}.{suffix}")

    def _events(self, request: Request) -> Response:
        streams = self._paintings.streams
        try:
            events = streams.open()
        except Busy as error:
            raise ServiceUnavailable(str(error)) from None
        response = Response(_lines(events), content_type="text/event-stream")
        response.call_on_close(lambda: streams.leave(events))
        return response


def _lines(events: queue.Queue) -> Iterator[bytes]:
    yield b"retry: 2000\n\n"
    while True:
        try:
            event = events.get(timeout=_HEARTBEAT_SECONDS)
        except queue.Empty:
            yield b": still here\n\n"
            continue
        if event is None:
            return
        yield f"data: {json.dumps(event)}\n\n".encode()


def _json(value, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


def _file(request: Request, path, *, lasting: bool = False, name: str | None = None) -> Response:
    if not path.exists():
        raise Missing("there is no such picture yet")
    response = send_file(
        path,
        request.environ,
        as_attachment=name is not None,
        download_name=name,
        max_age=86400 if lasting else None,
    )
    if lasting:
        response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _body(request: Request, most: int) -> bytes:
    """Returns what a request brings, all of it.

    Raises:
      HTTPException: it does not say how much that is, it is too much, or it is cut short.
    """
    if request.content_length is None:
        raise LengthRequired("Content-Length: is missing")
    if request.content_length > most:
        raise RequestEntityTooLarge(f"it has {request.content_length} bytes; must have at most {most}")
    return request.get_data(cache=False)


def _asked(request: Request) -> Any:
    try:
        return untrusted.parse_json(_body(request, _LONGEST_JSON), limit=_LONGEST_JSON)
    except UnicodeDecodeError:
        raise ValueError("it is no UTF-8") from None
