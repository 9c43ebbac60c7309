"""Requests to a served export: how many a second, how long each, and what a killed process costs.

For each export, in one run: direct calls through TensorFlow's C API, one row each, without a server; then a server with
and without batching, asked for one row at a time by 1 and by 16 clients over REST and gRPC, all through one process of
clients on the same machine. `--requests` sends many more and tells what memory the server and its model hold;
`--streams` opens that many WebSockets at once; `--kill` ends the model's process while it is asked; `--parity` compares
answers that share runs with those alone. `--seconds 0` leaves the loads out. `--overview` is all of it but what is long
or violent, as tables of one line a model: those of docs/serving.md.

Examples:
  python -m benchmarks.serving zoo --overview
  python -m benchmarks.serving saved_models/text_generation
  python -m benchmarks.serving saved_models/* --seconds 5 --to results.json
  python -m benchmarks.serving saved_models/text_generation --signature step --requests 20000 --streams 1000 --kill
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import table
from benchmarks.serving_clients import Served, first_request, grpc_client, load_of, rest_client
from benchmarks.serving_events import kill, memory, streams
from benchmarks.serving_overview import overview
from benchmarks.serving_parity import parity
from benchmarks.serving_rows import rows_of
from benchmarks.timing import say
from rnnapps.export.arrays import Arrays
from rnnapps.export.protos import shadow_tensorflow
from rnnapps.export.stored_examples import load_example
from rnnapps.export.versions import find_version
from rnnapps.zoo import PREFIX, all_unpacked

CLIENTS = (1, 16)


def main() -> None:
    """Measures what the command line asks for."""
    options = _parser().parse_args()
    shadow_tensorflow()  # clients need its messages only
    options.parity |= options.overview
    loads = [os.getloadavg()[0]]
    results = [_measure(find_version(folder), options) for folder in _folders(options.folders)]
    loads.append(os.getloadavg()[0])
    if options.overview:
        print(overview(results, loads))
    else:
        print(table(_HEADER, [row for result in results for row in _table_rows(result)]))
        for result in results:
            print(json.dumps({key: value for key, value in result.items() if key != "loads"}))
    if options.to:
        options.to.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


_HEADER = ("model, signature", "asked by", "clients", "batching", "requests/s", "p50 ms", "p99 ms")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folders", nargs="+", metavar="DIR", help="exports; zoo:NAME for a trained model, zoo for all of them"
    )
    parser.add_argument("--signature", default="serving_default", help="what is asked")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each load")
    parser.add_argument("--requests", type=int, default=0, help="requests whose memory is watched")
    parser.add_argument("--streams", type=int, default=0, help="WebSockets at once, of `step`")
    parser.add_argument("--overview", action="store_true", help="print tables of one line a model")
    parser.add_argument("--parity", action="store_true", help="compare answers of all signatures, alone and together")
    parser.add_argument("--kill", action="store_true", help="end the model's process under load")
    parser.add_argument("--to", type=Path, metavar="FILE", help="write the figures as JSON")
    return parser


def _folders(given: list[str]) -> Iterator[Path]:
    """The folders of what was named."""
    for name in given:
        if name == "zoo":
            yield from sorted(all_unpacked().iterdir())
        else:
            yield all_unpacked() / name.removeprefix(PREFIX) if name.startswith(PREFIX) else Path(name)


def _measure(version: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All figures of one export."""
    rows = rows_of(load_example(version, options.signature).inputs)
    result: dict[str, Any] = {"model": version.parent.name, "signature": options.signature, "loads": []}
    result["bytes"] = sum(path.stat().st_size for path in version.rglob("*") if path.is_file())
    if options.seconds:
        result["loads"].append({"by": "direct call", "clients": 1, "batching": "", **_direct(version, options)})
    for batching in (False, True) if options.seconds else (True,):
        with _server(version, options.signature, rows, batching=batching) as (served, ready_seconds):
            first = asyncio.run(first_request(served))
            result |= {"ready_seconds": round(ready_seconds, 2), "first_served": round(first, 2)}
            result["loads"] += _loads(served, batching, options) if options.seconds else []
            if batching:
                result |= asyncio.run(_more(served, options))
    return result


def _loads(served: Served, batching: bool, options: argparse.Namespace) -> list[dict[str, Any]]:
    """REST and gRPC by each number of clients; a lone client gains nothing by batching, and no table asks for both."""
    found = []
    for by, ask in (("REST", rest_client), ("gRPC", grpc_client)):
        for clients in CLIENTS if batching or not options.overview else CLIENTS[1:]:
            say(f"{served.model}, {by}, {clients} clients, batching {batching}")
            load = asyncio.run(load_of(served, ask, clients, options.seconds))
            found.append({"by": by, "clients": clients, "batching": "yes" if batching else "no", **load.to_dict()})
    return found


def _direct(version: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Calls in a process of their own, which has no Python TensorFlow."""
    words = [str(version), options.signature, str(options.seconds), *(["parity"] if options.parity else [])]
    command = (sys.executable, "-m", "benchmarks.serving_direct", *words)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


async def _more(served: Served, options: argparse.Namespace) -> dict[str, Any]:
    """The long, the wide and the violent."""
    result: dict[str, Any] = {}
    say(f"{served.model}, memory, streams, a killed process")
    if options.parity:
        result["parity"] = await parity(served)
    if options.requests:
        result["memory"] = await memory(served, options.requests)
    if options.streams:
        result["streams"] = await streams(served, options.streams)
    if options.kill:
        result["kill"] = await kill(served)
    return result


@contextlib.contextmanager
def _server(version: Path, signature: str, rows: list[Arrays], *, batching: bool) -> Iterator[tuple[Served, float]]:
    """`rnnapps serve` on free ports; yields it, and after how many seconds it was ready."""
    command = [sys.executable, "-m", "rnnapps", "serve", str(version), "--port", "0", "--grpc_port", "0"]
    begun = time.monotonic()
    process = subprocess.Popen(
        [*command, "--batching" if batching else "--no-batching"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        ports = re.findall(r":(\d+)", line)
        if len(ports) < 2:
            raise SystemExit(f"{version}: the server did not start: {process.communicate()[1].strip()}")
        served = Served(int(ports[0]), int(ports[1]), process.pid, version.parent.name, signature, rows, version)
        yield served, time.monotonic() - begun
    finally:
        process.terminate()
        process.wait(30)


def _table_rows(result: dict[str, Any]) -> Iterator[list[str]]:
    for load in result["loads"]:
        figures = [f"{load['per_second']:.0f}", f"{load['p50']:.2f}", f"{load['p99']:.2f}"]
        yield [
            f"{result['model']}, {result['signature']}",
            load["by"],
            str(load["clients"]),
            load["batching"],
            *figures,
        ]


if __name__ == "__main__":
    main()
