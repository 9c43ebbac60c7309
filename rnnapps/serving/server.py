"""The server: sockets, models, and an end that lets running requests finish."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import grpc
import uvicorn
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from rnnapps.errors import ConfigError, ExportError
from rnnapps.serving.access import TokenGate, accepts, read_token
from rnnapps.serving.grpc_services import TokenInterceptor, add_services
from rnnapps.serving.grpc_streams import stream_handler
from rnnapps.serving.metrics import Metrics
from rnnapps.serving.model_config import ModelConfig
from rnnapps.serving.options import ServeOptions
from rnnapps.serving.predictions import Predictions
from rnnapps.serving.registry import Registry
from rnnapps.serving.rest import make_app
from rnnapps.serving.service import Service
from rnnapps.serving.sessions import Sessions
from rnnapps.serving.websocket_streams import stream

__all__ = ["Server", "serve"]

LOG = logging.getLogger("rnnapps.serving")
Around = Callable[[ASGIApp, Service, Callable[[str], bool] | None], ASGIApp]


class _Rest(uvicorn.Server):
    """uvicorn inside a server that minds the signals itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


class Server:
    """REST and gRPC over the same models.

    Args:
        configs: returns the models to serve; it is asked at each poll.
        root: the folder below which clients may name models.
        options: settings.
        around: puts something around the REST interface, given that, the service, and who judges the header
            `authorization` (None where everybody may ask); it sees requests before the token does.

    Attributes:
        port: of REST, once started.
        grpc_port: of gRPC, once started; -1 without it.
        service: answers the requests.
        sessions: of the streams.
    """

    def __init__(
        self,
        configs: Callable[[], Sequence[ModelConfig]],
        root: Path,
        options: ServeOptions,
        *,
        around: Around | None = None,
    ) -> None:
        self.options, self._root, self._around = options, root, around
        self._token = read_token(options.token_file) if options.token_file else ""
        self._metrics = Metrics()
        self._registry = Registry(configs, options, self._metrics)
        self.service = Service(self._registry, options, self._metrics)
        self.sessions = Sessions(self.service)
        self.port = self.grpc_port = -1
        self._grpc: grpc.aio.Server | None = None
        self._rest: _Rest | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, opened: Callable[[], None] = lambda: None) -> None:
        """Opens the ports, loads the models, and goes on looking for new ones.

        Args:
            opened: is called when the ports are open, before the models are loaded.

        Raises:
            ConfigError: a port or a file of TLS cannot be used.
            ExportError: no model could be loaded.
        """
        await self._start_rest()
        if self.options.grpc_port >= 0:
            await self._start_grpc()
        opened()
        await self._registry.poll()
        if not any(version.state == "AVAILABLE" for version in self._registry):
            raise ExportError(f"{self._root}: no model could be loaded; `rnnapps verify` on a version says more")
        self._tasks += [asyncio.create_task(watcher) for watcher in (self._registry.watch(), self.sessions.watch())]

    async def stop(self) -> None:
        """Lets in no more requests, waits for those that run, and ends the models."""
        self.service.draining = True
        self.sessions.close()
        if self._rest is not None:
            self._rest.should_exit = True
        if self._grpc is not None:
            await self._grpc.stop(self.options.stop_seconds)
        watchers = [task for task in self._tasks[1:] if task.cancel()]
        if self._tasks:
            await asyncio.wait(self._tasks[:1])
        if watchers:
            await asyncio.wait(watchers)
        self.sessions.keep_all()
        await self._registry.stop()

    async def _start_rest(self) -> None:
        options = self.options
        app = make_app(self.service, lambda: len(self.sessions))

        async def stream_over(socket: WebSocket) -> None:
            await stream(socket, self.sessions, options.stream_seconds)

        app.routes.append(WebSocketRoute("/{rest:path}", stream_over))
        accepted = accepts(self._token) if self._token else None
        answering = Predictions(app, self.service)
        served: ASGIApp = TokenGate(answering, accepted) if accepted else answering
        if self._around is not None:
            served = self._around(served, self.service, accepted)
        config = uvicorn.Config(
            served,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nobody asks where a request came from
            lifespan="off",
            ssl_certfile=options.tls_certificate or None,
            ssl_keyfile=options.tls_key or None,
            timeout_graceful_shutdown=max(1, round(options.stop_seconds)),
            ws="websockets-sansio",
            ws_max_size=options.body_mib << 20,
            ws_per_message_deflate=False,  # it would hold 300 kB a connection
        )
        listening = _listen(options.host, options.port)
        self.port = listening.getsockname()[1]
        try:
            config.load()
        except (OSError, ValueError) as error:
            listening.close()
            raise ConfigError(f"--tls_certificate {options.tls_certificate}: cannot be used ({error})") from error
        self._rest = _Rest(config)
        self._tasks.append(asyncio.create_task(self._rest.serve(sockets=[listening])))

    async def _start_grpc(self) -> None:
        options, interceptors = self.options, []
        if self._token:
            interceptors.append(TokenInterceptor(accepts(self._token)))
        most = options.body_mib << 20
        limits = [
            ("grpc.max_receive_message_length", most),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ]
        server = grpc.aio.server(interceptors=interceptors, options=limits)
        add_services(server, self.service, self._root)
        server.add_generic_rpc_handlers((stream_handler(self.sessions),))
        address = (
            f"[{options.host}]:{options.grpc_port}" if ":" in options.host else f"{options.host}:{options.grpc_port}"
        )
        try:
            if options.tls_certificate:
                pair = (Path(options.tls_key).read_bytes(), Path(options.tls_certificate).read_bytes())
                self.grpc_port = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
            else:
                self.grpc_port = server.add_insecure_port(address)
        except (RuntimeError, OSError) as error:
            raise ConfigError(f"--grpc_port {options.grpc_port}: cannot be used ({error})") from error
        await server.start()
        self._grpc = server


async def serve(server: Server, *, opened: Callable[[Server], None], told: Callable[[Server], None]) -> None:
    """Runs a server until SIGTERM or SIGINT; the second of them ends it at once.

    Args:
        server: not yet started.
        opened: is called when the ports are open.
        told: is called when the models are loaded.
    """
    async with _until_signal() as signalled:
        try:
            await server.start(lambda: opened(server))
            told(server)
            await signalled.wait()
            LOG.info("stopping")
        finally:
            await server.stop()


@contextlib.asynccontextmanager
async def _until_signal() -> AsyncIterator[asyncio.Event]:
    """An event that is set by the first signal to end."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def signalled(number: int) -> None:
        if event.is_set():
            raise SystemExit(128 + number)
        event.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled, number)
    try:
        yield event
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _listen(host: str, port: int) -> socket.socket:
    """A socket on an address."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=1024)
        # Connections inherit it. asyncio sets it on sockets of a named protocol only, which these are not: the body of
        # an answer, written after its head, would wait 40 ms for the client to acknowledge the head.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise ConfigError(
            f"--host {host} --port {port}: cannot listen ({error.strerror}); take another port"
        ) from error
