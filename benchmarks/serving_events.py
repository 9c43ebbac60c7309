"""What lasts long, is wide, or is violent: memory over many requests, a thousand streams, a killed process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import statistics
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.serving_clients import Load, Served, ask_until, rest_client
from benchmarks.serving_rows import rows_of
from rnnapps.export.stored_examples import load_example
from rnnapps.serving.json_answers import to_json

__all__ = ["kill", "memory", "streams"]


async def memory(served: Served, requests: int) -> dict[str, Any]:
    """Memory of server and model after each tenth of many requests, in MiB."""
    points, asked = [_mebibytes(served)], Load()
    while len(asked.milliseconds) < requests:
        wanted = len(asked.milliseconds) + requests // 10
        async with contextlib.AsyncExitStack() as stack:
            senders = [await stack.enter_async_context(rest_client(served)) for _ in range(16)]

            async def ask(send: Any, number: int, wanted: int = wanted) -> None:
                while len(asked.milliseconds) < wanted:
                    asked.add(await send(number % len(served.rows)), 0.0)
                    number += 1

            await asyncio.gather(*(ask(send, number) for number, send in enumerate(senders)))
        points.append(_mebibytes(served))
    return {"requests": len(asked.milliseconds), "statuses": asked.statuses, "server_and_model_mib": points}


def _mebibytes(served: Served) -> list[float]:
    """Memory that is the own of the server's process and of its model's."""
    return [round(_own_memory(pid) / 1024, 1) for pid in (served.pid, _child(served.pid))]


def _own_memory(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.findall(r"Anonymous:\s+(\d+)", text)[0])


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


async def streams(served: Served, count: int) -> dict[str, Any]:
    """Many WebSockets, each of which sends three messages; all at the same time."""
    from websockets.asyncio.client import connect

    rows = rows_of(load_example(served.folder, "step").inputs)
    inputs = {name: to_json(name, array)[0] for name, array in rows[0].items() if not name.startswith("state_")}
    message, times = json.dumps({"inputs": inputs}, default=lambda array: array.tolist()), []
    uri, gate = f"ws://127.0.0.1:{served.port}/v1/models/{served.model}:stream", asyncio.Semaphore(64)

    async def one(ready: asyncio.Barrier) -> None:
        async with gate:
            socket = await connect(uri, compression=None, open_timeout=60, ping_interval=None)
            await socket.recv()
        await ready.wait()
        for _ in range(3):
            begun = time.monotonic()
            await socket.send(message)
            answer = json.loads(await socket.recv())
            assert "outputs" in answer, answer
            times.append(1e3 * (time.monotonic() - begun))
        await ready.wait()
        await socket.close()

    ready, before, begun = asyncio.Barrier(count), _mebibytes(served), time.monotonic()
    await asyncio.gather(*(one(ready) for _ in range(count)))
    seconds, after = time.monotonic() - begun, _mebibytes(served)
    return {
        "streams": count,
        "messages": len(times),
        "messages_per_second": round(len(times) / (sum(times) / 1e3 / count)),
        "p50_ms": round(statistics.median(times), 1),
        "slowest_ms": round(max(times), 1),
        "seconds_with_opening": round(seconds, 1),
        "kib_a_stream": round(1024 * (after[0] - before[0]) / count),
    }


async def kill(served: Served) -> dict[str, Any]:
    """Ends the model's process while 16 clients ask."""
    load, until = Load(), time.monotonic() + 8
    asking = asyncio.create_task(ask_until(served, rest_client, 16, until=until, load=load))
    await asyncio.sleep(1)
    killed, begun, back = _child(served.pid), time.monotonic(), 0.0
    os.kill(killed, signal.SIGKILL)
    while not back:
        await asyncio.sleep(0.02)
        with contextlib.suppress(OSError, IndexError):
            if _child(served.pid) == killed:
                continue
            status = await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{served.port}/readyz").status)
            back = time.monotonic() - begun if status == 200 else 0.0
    await asking
    return {"statuses": load.statuses, "back_after_seconds": round(back, 2)}
