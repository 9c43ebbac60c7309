"""A server that says what a test wants."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

METADATA = {
    "model_spec": {"name": "m", "version": "3"},
    "metadata": {
        "signature_def": {
            "signature_def": {
                "__saved_model_init_op": {"inputs": {}, "outputs": {}},
                "serving_default": {
                    "inputs": {"x": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}]}}},
                    "outputs": {"y": {"dtype": "DT_DOUBLE", "tensor_shape": {"dim": [{"size": "-1"}]}}},
                },
            }
        }
    },
}
"""Metadata of a model with one signature, as TensorFlow Serving tells them."""


@dataclass
class Script:
    """A server that says what it was told to say, one answer a request.

    Attributes:
        answers: status, body and headers of each; None closes the connection without a word.
        requests: method, path, headers and body of each.
        connections: how many were opened.
    """

    url: str = ""
    answers: list[tuple[int, Any, dict[str, str]] | None] = field(default_factory=list)
    requests: list[tuple[str, str, Any, bytes]] = field(default_factory=list)
    connections: int = 0

    def say(self, status: int, body: Any, **headers: str) -> None:
        self.answers.append((status, body, {name.replace("_", "-"): value for name, value in headers.items()}))


def run_script() -> Iterator[Script]:
    """The server, until the generator is closed."""
    script = Script()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            script.connections += 1

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.requests.append((self.command, self.path, self.headers, content))
            answer = script.answers.pop(0)
            if answer is None:
                self.close_connection = True
                return
            status, body, headers = answer
            written = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(written)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(written)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        script.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
