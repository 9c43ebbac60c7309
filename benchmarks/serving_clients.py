"""Clients of a served export: connections that ask for one row after another, and what they got."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnapps.types import Arrays

__all__ = [
    "Client",
    "Load",
    "Served",
    "ask_until",
    "first_request",
    "grpc_client",
    "load_of",
    "predict_body",
    "predict_request",
    "processor_seconds",
    "rest_client",
]


@dataclass
class Load:
    """What some clients got.

    Attributes:
        seconds: how long they asked.
        milliseconds: of each answer.
        statuses: status -> how often.
        processor_seconds: of the server and its models meanwhile.
    """

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    processor_seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        """The milliseconds within which that share was answered."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def add(self, status: str, milliseconds: float) -> None:
        """Counts an answer."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.milliseconds.append(milliseconds)

    def to_dict(self) -> dict[str, Any]:
        """The figures."""
        times = {"p50": self.percentile(0.5), "p99": self.percentile(0.99)}
        processor = 1e3 * self.processor_seconds / len(self.milliseconds)
        return {"per_second": self.per_second, **times, "statuses": self.statuses, "processor_ms": processor}


@dataclass(frozen=True)
class Served:
    """A server that runs.

    Attributes:
        port: of REST.
        grpc_port: of gRPC.
        pid: of the server.
        model: name of the model.
        signature: what is asked.
        rows: one request each.
        folder: the version folder.
    """

    port: int
    grpc_port: int
    pid: int
    model: str
    signature: str
    rows: list[Arrays]
    folder: Path


Client = Callable[[Served], AbstractAsyncContextManager[Any]]


async def load_of(served: Served, client: Client, clients: int, seconds: float) -> Load:
    """Some clients that ask on and on, after half a second that does not count."""
    await ask_until(served, client, clients, until=time.monotonic() + 0.5, load=Load())
    load, started, spent = Load(), time.monotonic(), processor_seconds(served.pid)
    await ask_until(served, client, clients, until=started + seconds, load=load)
    load.seconds, load.processor_seconds = time.monotonic() - started, processor_seconds(served.pid) - spent
    return load


def processor_seconds(pid: int) -> float:
    """What a process and its children have used so far."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = 0
    for each in (pid, *children):
        user, system = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[11:13]
        ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


async def first_request(served: Served) -> float:
    """Milliseconds of one request over REST."""
    async with rest_client(served) as send:
        begun = time.monotonic()
        await send(0)
        return 1e3 * (time.monotonic() - begun)


async def ask_until(served: Served, client: Client, clients: int, *, until: float, load: Load) -> None:
    """Some clients that ask on and on until a time, into a load."""

    async def ask(number: int) -> None:
        async with client(served) as send:
            while time.monotonic() < until:
                begun = time.monotonic()
                status = await send(number % len(served.rows))
                load.add(status, 1e3 * (time.monotonic() - begun))
                number += 1

    await asyncio.gather(*(ask(number) for number in range(clients)))


@contextlib.asynccontextmanager
async def rest_client(served: Served) -> AsyncIterator[Any]:
    """A connection that stays open; answers are read, not parsed."""
    bodies = [_http_request(served, row) for row in served.rows]
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)

    async def send(row: int) -> str:
        writer.write(bodies[row])
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = re.findall(rb"content-length: (\d+)", head.lower())
        await reader.readexactly(int(length))
        return head[9:12].decode()

    try:
        yield send
    finally:
        writer.close()


def _http_request(served: Served, row: Arrays) -> bytes:
    body = predict_body(served.signature, row)
    head = f"POST /v1/models/{served.model}:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def predict_body(signature: str, inputs: Arrays) -> bytes:
    """A REST request by columns, with NaN as JavaScript writes it."""
    from rnnapps.serving.json_answers import to_json

    columns = {name: to_json(name, array) for name, array in inputs.items()}
    return json.dumps({"signature_name": signature, "inputs": columns}, default=lambda array: array.tolist()).encode()


@contextlib.asynccontextmanager
async def grpc_client(served: Served) -> AsyncIterator[Any]:
    """A channel of its own."""
    import grpc
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    requests = [predict_request(served.model, served.signature, row) for row in served.rows]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{served.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        async def send(row: int) -> str:
            try:
                await stub.Predict(requests[row])
            except grpc.RpcError as error:
                return str(error.code().name)
            return "200"

        yield send


def predict_request(model: str, signature: str, inputs: Arrays) -> Any:
    """A PredictRequest."""
    from tensorflow_serving.apis import predict_pb2

    from rnnapps.export.tensor_protos import fill_proto

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    for name, array in inputs.items():
        fill_proto(request.inputs[name], array)
    return request
