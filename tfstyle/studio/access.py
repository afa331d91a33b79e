"""Which requests are answered.

A page of any other site may send requests to this machine. By the Host header, those are refused that
reached it under a name of the site's own (DNS rebinding); by Origin, what another page asks for; by a token,
whatever changes something and does not come from the studio's page. Beyond this machine, a token in the
address is asked for as well.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from urllib.parse import urlsplit

from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Request, Response

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TOKEN_HEADER = "X-Tfstyle-Token"


def is_own(host: str) -> bool:
    """Returns whether a host name means this machine and is reached from nowhere else."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Access:
    """What decides whether a request is answered.

    Args:
      host: on which the studio is served.

    Attributes:
      token: that the page sends with all that changes something.
      key: to be in the address once; '' where only this machine can ask.
    """

    def __init__(self, host: str):
        self._host, self.token = host, secrets.token_urlsafe(24)
        self.key = "" if is_own(host) else secrets.token_urlsafe(24)
        self._cookie = "tfstyle_studio"

    def require(self, request: Request) -> Response | None:
        """Checks a request; returns what to answer to one that has just shown the key.

        Raises:
          Forbidden: it is not from whom it should be.
        """
        host = request.environ.get("HTTP_HOST", "")
        if not self._is_known(_name(f"//{host}")):
            raise Forbidden(f"host={host[:80]!r}: is not a name of the studio")
        if self.key and not _same(request.cookies.get(self._cookie, ""), self.key):
            if not _same(request.args.get("token", ""), self.key):
                raise Forbidden("token: is missing or wrong; open the address that tfstyle studio printed")
            answer = Response(status=303, headers={"Location": request.path})
            answer.set_cookie(self._cookie, self.key, httponly=True, samesite="Lax")
            return answer
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("//")[2].lower() != host.lower():
            raise Forbidden(f"origin={origin[:80]!r}: is another page than the studio's")
        changes = request.method not in ("GET", "HEAD")
        if changes and not _same(request.headers.get(TOKEN_HEADER, ""), self.token):
            raise Forbidden("token: is missing or of an earlier studio; load the page again")
        return None

    def _is_known(self, name: str) -> bool:
        """Returns whether a name cannot be one that another site had made to mean this machine."""
        if name in ("localhost", self._host.lower()) or is_own(name):
            return True
        try:
            return bool(self.key and ipaddress.ip_address(name))
        except ValueError:
            return False


def guarded(response: Response) -> Response:
    """Adds to an answer what keeps browsers from taking it for more than it is."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _name(address: str) -> str:
    """Returns the host's name in an address; '' where there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # of brackets
        return ""


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())
