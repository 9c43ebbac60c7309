"""The bearer token that requests must show, if there is one."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from rnnapps.errors import ConfigError
from rnnapps.serving.json_answers import error_body
from rnnapps.serving.refusal import Code

__all__ = ["TokenGate", "accepts", "read_token"]

_OPEN = frozenset({"/healthz", "/readyz"})
_LEAST_LENGTH = 16


def read_token(path: str) -> str:
    """The token in a file, without the space around it.

    Raises:
        ConfigError: the file cannot be read, others may read it, or it holds no token.
    """
    file = Path(path)
    try:
        mode, token = file.stat().st_mode, file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token_file {path}: cannot be read ({error})") from error
    if mode & 0o007:
        raise ConfigError(f"--token_file {path}: everybody on this machine may read or write it; chmod o-rwx")
    if len(token) < _LEAST_LENGTH or not token.isascii() or len(token.split()) != 1:
        raise ConfigError(f"--token_file {path}: expected one word of at least {_LEAST_LENGTH} ASCII characters")
    return token


def accepts(token: str) -> Callable[[str], bool]:
    """A judge of the header `authorization`, which takes the same time whatever it holds."""
    wanted = f"Bearer {token}".encode()
    return lambda header: hmac.compare_digest(header.encode(errors="replace"), wanted)


class TokenGate:
    """Lets only requests in that bear the token; health and readiness are open.

    Args:
        app: what stands behind the gate.
        accepted: judges the header `authorization`.
    """

    def __init__(self, app: ASGIApp, accepted: Callable[[str], bool]) -> None:
        self._app, self._accepted = app, accepted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in _OPEN or self._bears(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
            await send({"type": "http.response.start", "status": Code.UNAUTHENTICATED.value, "headers": headers})
            await send({"type": "http.response.body", "body": error_body("the bearer token is missing or wrong")})

    def _bears(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(given) == 1 and self._accepted(given[0].decode(errors="replace"))
