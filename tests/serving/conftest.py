from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rnnapps.serving.model_config import find_models
from rnnapps.serving.options import ServeOptions
from rnnapps.serving.server import Server


@dataclass
class Running:
    """A server in a thread of its own, and how to ask it."""

    server: Server
    loop: asyncio.AbstractEventLoop

    def call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, parsed body and headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(text) if is_json else text, answer.headers
        finally:
            connection.close()

    def predict(self, model: str, body: Any) -> tuple[int, Any]:
        return self.request("POST", f"/v1/models/{model}:predict", body)[:2]

    @property
    def registry(self) -> Any:
        return self.server.service.registry


Start = Callable[..., Running]


def run_server(root: Path, **options: Any) -> Iterator[Running]:
    """A server on free ports; it is stopped when the generator is closed."""
    given = ServeOptions(**{"port": 0, "grpc_port": 0, "poll_seconds": 600.0, **options})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        server = Server(lambda: find_models(root), root, given)
        running = Running(server, loop)
        try:
            running.call(server.start())
            yield running
        finally:
            running.call(server.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one model, `toy/1`, with a signature of each kind that is served differently."""
    from tests.serving.toy_model import export_toy

    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        # What is exported here is verified by the tests of exports.
        patch.setattr("rnnapps.export.saved_model.verify", lambda *_, **__: SimpleNamespace(require=lambda: None))
        export_toy(folder / "toy")
    return folder


@pytest.fixture(scope="session")
def running(models: Path) -> Iterator[Running]:
    """A server of the toy model, for all tests that leave it as it is."""
    yield from run_server(models)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers of a test's own."""
    generators = []

    def begin(root: Path, **options: Any) -> Running:
        generators.append(run_server(root, **options))
        return next(generators[-1])

    yield begin
    for generator in generators:
        generator.close()
