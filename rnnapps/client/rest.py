"""TensorFlow Serving's REST interface, over connections that are kept."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import weakref
from collections import deque
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, quote

from rnnapps.client.column_json import Json, from_json, to_json
from rnnapps.client.options import ClientOptions, Target
from rnnapps.client.signatures_of import signatures_of
from rnnapps.contract.served import ServedSignature, Signatures
from rnnapps.errors import ConfigError, ExportError, ServingError
from rnnapps.export.signature_file import parse_signatures
from rnnapps.types import Arrays

__all__ = ["RestTransport"]

_BUSY = (429, 503)
_MALFORMED = (400, 404)
"""What a server says to a path that it does not have."""
_LARGEST_TOLD = 300


class RestTransport:
    """Sends requests to a server over REST; any thread may use it.

    Args:
        url: of the server, `http` or `https`; a path in it stands before that of the interface.
        options: patience, token and certificates.
    """

    def __init__(self, url: SplitResult, options: ClientOptions) -> None:
        self._url, self._options = url, options
        self._idle: deque[http.client.HTTPConnection] = deque()
        weakref.finalize(self, _close, self._idle)
        self._context = _trusting(options.ca_file) if url.scheme == "https" else None

    def predict(self, target: Target, name: str, signature: ServedSignature, inputs: Arrays) -> Arrays:
        """Runs a signature; raises ServingError."""
        columns = {key: to_json(array) for key, array in inputs.items()}
        body = json.dumps({"signature_name": name, "inputs": columns}, separators=(",", ":")).encode()
        outputs: Json = self._answer("POST", _path(target) + ":predict", body).get("outputs")
        if len(signature.outputs) == 1:
            outputs = dict.fromkeys(signature.outputs, outputs)
        try:
            return {key: from_json(key, outputs[key], tensor) for key, tensor in signature.outputs.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise self._error(f"the answer of signature {name!r} is not what the signature says ({error})") from error

    def resolved(self, target: Target) -> tuple[int, Signatures]:
        """Which version answers, and the types and shapes of its signatures; raises ServingError."""
        told = self._answer("GET", _path(target) + "/metadata")
        try:
            return int(told["model_spec"]["version"]), signatures_of(target.model, told["metadata"]["signature_def"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._error(f"metadata of {target.model!r} is not TensorFlow Serving's ({error!r})") from error

    def told(self, target: Target) -> Signatures | None:
        """`signatures.json` of the version that answers; None from a server that does not tell it."""
        status, content, _ = self._ask("GET", _path(target) + "/signatures")
        if status in _MALFORMED:
            return None
        self._require_ok(status, content)
        try:
            return parse_signatures(content.decode())
        except (ExportError, UnicodeDecodeError) as error:
            raise self._error(f"signatures of {target.model!r}: {error}") from error

    def close(self) -> None:
        """Closes the connections that are kept."""
        _close(self._idle)

    def _answer(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        """The object that a successful answer holds."""
        status, content, retry_seconds = self._ask(method, path, body)
        self._require_ok(status, content, retry_seconds)
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._error(f"the answer is no JSON ({error}); is this TensorFlow Serving's REST port?") from error
        if not isinstance(answer, dict):
            raise self._error("the answer is no JSON object; is this TensorFlow Serving's REST port?")
        return answer

    def _require_ok(self, status: int, content: bytes, retry_seconds: float | None = None) -> None:
        if status != 200:
            told = f"status {status}: {_told(content)}"
            raise self._error(told, status=str(status), again=status in _BUSY, retry_seconds=retry_seconds)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes, float | None]:
        """Status, content, and after how many seconds to come again; a kept connection may have been closed."""
        while self._idle:
            try:
                return self._exchange(self._idle.pop(), method, path, body)
            except (ConnectionError, http.client.HTTPException):
                continue  # perhaps closed while nobody used it: a fresh one tells
            except OSError as error:
                raise self._unreached(error) from error
        try:
            return self._exchange(self._connection(), method, path, body)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreached(error) from error

    def _exchange(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None
    ) -> tuple[int, bytes, float | None]:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._options.token:
            headers["Authorization"] = f"Bearer {self._options.token}"
        try:
            connection.request(method, self._url.path.rstrip("/") + path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return answer.status, content, _seconds(answer.getheader("Retry-After"))

    def _connection(self) -> http.client.HTTPConnection:
        host, seconds = str(self._url.hostname), self._options.timeout_seconds
        if self._context is not None:
            return http.client.HTTPSConnection(host, self._url.port, timeout=seconds, context=self._context)
        return http.client.HTTPConnection(host, self._url.port, timeout=seconds)

    def _unreached(self, error: Exception) -> ServingError:
        """What a connection that failed means."""
        if isinstance(error, TimeoutError):
            return self._error(f"no answer within {self._options.timeout_seconds:g} s; ask for less, or wait longer")
        if isinstance(error, ssl.SSLCertVerificationError):
            return self._error(f"its certificate is not trusted ({error.verify_message}); name its CA as ca_file")
        if isinstance(error, ssl.SSLError):
            return self._error(f"no TLS connection ({error.reason}); is it https that it speaks?")
        return self._error(f"cannot be reached ({error or type(error).__name__}); is the server running?", again=True)

    def _error(self, message: str, **known: Any) -> ServingError:
        return ServingError(f"{self._url.geturl()}: {message}", **known)


def _close(connections: deque[http.client.HTTPConnection]) -> None:
    while connections:
        connections.pop().close()


def _path(target: Target) -> str:
    path = f"/v1/models/{quote(target.model, safe='')}"
    if target.version is not None:
        return f"{path}/versions/{target.version}"
    return f"{path}/labels/{quote(target.label, safe='')}" if target.label else path


def _told(content: bytes) -> str:
    """What the body of an error says, in one line."""
    try:
        text = str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        text = content.decode(errors="replace")
    line = " ".join(text.split())
    return line if len(line) <= _LARGEST_TOLD else f"{line[:_LARGEST_TOLD]}..."


def _seconds(header: str | None) -> float | None:
    """How long Retry-After asks to wait, given as seconds or as a time."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _trusting(ca_file: str) -> ssl.SSLContext:
    """What decides which servers are trusted."""
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"ca_file {ca_file}: no certificates can be read ({error})") from error
