"""Sends hostile requests to exports, as a server would run them: does one bad row hurt its neighbours, or the server?

Each request has five rows; one of them, or the length of all, is bad. It must end within the time and memory allowed,
its good rows must be answered bit for bit as beside a good row, and no NaN, infinity or text that is no UTF-8 may leave
the graph. The export runs in a process of its own, through TensorFlow's C API, without Python TensorFlow.

Examples:
  python -m benchmarks.hostile_requests saved_models/text_generation
  python -m benchmarks.hostile_requests zoo:text
  python -m benchmarks.hostile_requests saved_models/* --requests 2000 --to results.json
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hostile_values import hostile_array
from benchmarks.memory_peak import peak, reset_peak
from rnnapps.export.arrays import Arrays, load_arrays
from rnnapps.export.manifest import EXTRA, read_manifest
from rnnapps.export.parity import not_finite, wrong_text
from rnnapps.zoo import resolved

LONGEST_SECONDS, MOST_BYTES = 10.0, 1 << 30
WIDTHS = (0, 1, 2, 3, 50, 5_000)


class LoadedExport:
    """The signatures of an export behind TensorFlow's C API."""

    def __init__(self, folder: Path) -> None:
        from rnnapps.export.c_api import Library, Session
        from rnnapps.export.protos import shadow_tensorflow
        from rnnapps.export.rules import serving_graph

        saved_model = shadow_tensorflow().SavedModel()
        saved_model.ParseFromString((folder / "saved_model.pb").read_bytes())
        graph = serving_graph(saved_model)
        if graph is None:
            raise SystemExit(f"{folder}: holds no graph to serve")
        self._definitions, self._session = graph.signature_def, Session(Library(), folder)

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        """Runs a signature on arrays by input name."""
        definition = self._definitions[signature]
        feeds = {definition.inputs[name].name: value for name, value in inputs.items()}
        return self._session.run(feeds, {name: tensor.name for name, tensor in definition.outputs.items()})


@dataclasses.dataclass
class Outcome:
    """What became of the requests to one signature.

    Attributes:
        requests: how many were sent.
        problems: rows that were told a problem.
        refused: requests that ended in an error, which none of these should.
        changed: requests with a good row that was answered otherwise than beside a good row.
        leaked: requests whose answer JSON cannot carry.
        slowest_seconds: the longest request.
        most_bytes: the most memory that a request took, beyond its own size and what the process held before it.
        ended: how the process ended, if not well.
        told: the first of what went wrong.
    """

    requests: int = 0
    problems: int = 0
    refused: int = 0
    changed: int = 0
    leaked: int = 0
    slowest_seconds: float = 0.0
    most_bytes: int = 0
    ended: str = ""
    told: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing went wrong."""
        wrong = self.refused or self.changed or self.leaked or self.ended
        return not wrong and self.slowest_seconds <= LONGEST_SECONDS and self.most_bytes <= MOST_BYTES


def hostile(
    draw: np.random.Generator, inputs: Arrays, shapes: dict[str, list[int | None]]
) -> tuple[Arrays, Arrays, int]:
    """A request with a bad row, the same request with a good one in its place, and the row."""
    row = int(draw.integers(len(next(iter(inputs.values())))))
    good = dict(inputs)
    long = [name for name in sorted(inputs) if None in shapes[name][1:]]
    if long and draw.random() < 0.15:
        good = {
            name: _resized(array, int(draw.choice(WIDTHS))) if name in long else array for name, array in good.items()
        }
    bad = dict(good)
    for name in draw.choice(sorted(inputs), size=min(len(inputs), int(draw.choice([1, 1, 1, 2, 3]))), replace=False):
        bad[str(name)] = hostile_array(draw, bad[str(name)], row)
    return bad, good, row


def _resized(array: Any, width: int) -> Any:
    """An input whose rows have another number of places; new ones hold nothing."""
    shape = (array.shape[0], width, *array.shape[2:])
    result = np.full(shape, b"", object) if array.dtype == object else np.zeros(shape, array.dtype)
    kept = min(width, array.shape[1])
    result[:, :kept] = array[:, :kept]
    return result


def attack(model: LoadedExport, signature: str, inputs: Arrays, shapes: Any, *, requests: int, seed: int) -> Outcome:
    """Sends the requests to one signature of a loaded model."""
    draw, outcome = np.random.default_rng(seed), Outcome()
    usual = model.run(signature, inputs)
    for _ in range(requests):
        bad, good, row = hostile(draw, inputs, shapes)
        outcome.requests += 1
        before, began = reset_peak(), time.perf_counter()
        try:
            answer = model.run(signature, bad)
        except Exception as error:
            outcome.refused += 1
            outcome.told = outcome.told or f"request {outcome.requests}: {error}"[:400]
            continue
        finally:
            outcome.slowest_seconds = max(outcome.slowest_seconds, time.perf_counter() - began)
            outcome.most_bytes = max(outcome.most_bytes, peak() - before - _bytes(bad))
        same = all(good[name].shape == inputs[name].shape for name in inputs)
        expected = usual if same else model.run(signature, good)
        _judge(outcome, answer, expected, row)
    return outcome


def _bytes(inputs: Arrays) -> int:
    """The size of a request: what its sender had to send, and a server's own limits are for."""
    return sum(
        sum(map(len, array.ravel().tolist())) if array.dtype == object else array.nbytes for array in inputs.values()
    )


def _judge(outcome: Outcome, answer: Arrays, expected: Arrays, row: int) -> None:
    """Enters one answer into the outcome."""
    outcome.problems += bool(answer["problem"][row])
    leaks = [*not_finite(answer), *wrong_text(answer)]
    outcome.leaked += bool(leaks)
    changes = list(_changes(answer, expected, row))
    outcome.changed += bool(changes)
    outcome.told = outcome.told or "; ".join(f"request {outcome.requests}: {line}" for line in [*leaks, *changes])[:400]


def _changes(answer: Arrays, expected: Arrays, row: int) -> Iterator[str]:
    """Outputs whose good rows differ in any bit, where both have places."""
    for name, array in answer.items():
        one, other = (np.delete(both, row, 0) for both in (array, expected[name]))
        corner = tuple(slice(min(pair)) for pair in zip(one.shape, other.shape, strict=True))
        if not np.array_equal(one[corner], other[corner]):
            yield f"output {name!r} of a good row differs"


def _examples(folder: Path, signature: str) -> Arrays:
    """The good rows that an export keeps for its verification."""
    stored = load_arrays(folder / EXTRA / "expected" / f"{signature}.npz")
    return {name.removeprefix("inputs/"): array for name, array in stored.items() if name.startswith("inputs/")}


def work(folder: Path, requests: int, seed: int) -> None:
    """The child: attacks all signatures of an export and writes an outcome a line."""
    model, manifest = LoadedExport(folder), read_manifest(folder)
    for name in sorted(manifest.signatures):
        print(json.dumps({"signature": name}), flush=True)
        shapes = {key: entry["shape"] for key, entry in manifest.signatures[name]["inputs"].items()}
        outcome = attack(model, name, _examples(folder, name), shapes, requests=requests, seed=seed)
        print(json.dumps({"signature": name, **dataclasses.asdict(outcome)}), flush=True)


def outcomes(folder: Path, *, requests: int, seed: int) -> dict[str, Outcome]:
    """Attacks an export in a process of its own; a signature during which that ended says how."""
    command = [sys.executable, "-m", "benchmarks.hostile_requests", str(folder), "--child"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    options = ["--requests", str(requests), "--seed", str(seed)]
    done = subprocess.run([*command, *options], capture_output=True, env=environment, check=False)
    found: dict[str, Outcome] = {}
    for line in done.stdout.decode().splitlines():
        entry = json.loads(line)
        name = entry.pop("signature")
        found[name] = Outcome(**entry) if entry else Outcome(ended="the process ended early")
    if done.returncode and not any(outcome.ended for outcome in found.values()):
        found[""] = Outcome(ended=done.stderr.decode(errors="replace").strip()[-300:])
    for outcome in found.values():
        if outcome.ended and done.returncode:
            outcome.ended = f"the process ended with code {done.returncode}"
    return found


def main() -> int:
    """The command; returns 1 if anything went wrong."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("exports", nargs="+", type=resolved, help="version folders, or folders of versions, or zoo:NAME")
    made.add_argument("--requests", type=int, default=2_000, help="requests to each signature (default 2,000)")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--to", type=Path, help="also write the outcomes as JSON")
    made.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = made.parse_args()
    if options.child:
        work(options.exports[0], options.requests, options.seed)
        return 0
    from rnnapps.export.versions import find_version

    results = {}
    print("| export | signature | requests | problems | errors | changed | leaked | slowest s | most MB | |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for export in options.exports:
        folder = find_version(export)
        results[str(folder)] = found = outcomes(folder, requests=options.requests, seed=options.seed)
        for name, one in found.items():
            numbers = f"{one.requests} | {one.problems} | {one.refused} | {one.changed} | {one.leaked}"
            cost = f"{one.slowest_seconds:.2f} | {one.most_bytes / 1e6:.0f}"
            print(f"| {export} | {name} | {numbers} | {cost} | {one.ended or one.told} |", flush=True)
    if options.to:
        plain = {key: {name: dataclasses.asdict(one) for name, one in found.items()} for key, found in results.items()}
        options.to.write_text(json.dumps(plain, indent=1), encoding="utf-8")
    return 0 if all(one.good for found in results.values() for one in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
