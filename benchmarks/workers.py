"""Time of a training step by one worker and by two, what of it is communication, and what slower lines make of it.

Examples:
  python -m benchmarks.workers                          two processes of one thread each, on this machine's loopback
  python -m benchmarks.workers --rates 1gbit 100mbit    and through such lines: root, two network namespaces, tc

Each figure is the median of several rounds. In each round the contestants take turns: the whole batch in one worker,
while the other waits; half of it in each; the same without their sum; the sum alone; and half of it in each by Keras's
optimizer under TensorFlow's strategy.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnnapps.training.cluster import cluster_variable

if TYPE_CHECKING:
    from rnnapps.training.trainer import TrainingModel
    from rnnapps.training.workers import Workers
    from rnnapps.types import Tensor

__all__ = ["Case", "main", "predicted_milliseconds", "wire_bytes"]

VOCABULARY = 66
NETWORKS = ("rnnapps-line-0", "rnnapps-line-1")
ADDRESSES = ("10.213.7.1", "10.213.7.2")
PORT = 3456
WARMUP = 5
RATES = {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9}


@dataclasses.dataclass(frozen=True)
class Case:
    """A network and its batch: embedding of 64, one recurrent layer, 66 scores.

    Attributes:
        cell: the cell.
        units: its size.
        batch: rows of the whole batch.
        steps: time steps of each.
    """

    cell: str
    units: int
    batch: int
    steps: int

    def __str__(self) -> str:
        """As a row of the table."""
        return f"{self.cell} {self.units}, {self.batch} x {self.steps}"


CASES = (
    Case("simple_rnn", 64, 16, 50),
    Case("lstm", 128, 16, 50),
    Case("gru", 256, 64, 100),
    Case("lstm", 512, 64, 100),
    Case("min_gru", 512, 64, 100),
)


def wire_bytes(parameters: int, workers: int) -> float:
    """Bytes that each worker sends in a step, and receives: a ring's 2 (N - 1) / N of one float32 vector.

    The vector holds all gradients, the loss, and two numbers that say whether to stop.
    """
    return 2 * (workers - 1) / workers * 4 * (parameters + 3)


def predicted_milliseconds(alone: float, shared: float, *, parameters: int, bits_per_second: float) -> float:
    """Time of a step of two workers on a line.

    Args:
        alone: milliseconds of the part that each computes.
        shared: milliseconds of the sum on the loopback, which every line has too: copies and calls.
        parameters: of the network.
        bits_per_second: of the line, each way.
    """
    return alone + shared + 1e3 * 8 * wire_bytes(parameters, 2) / bits_per_second


def main(argv: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", nargs="*", default=[], metavar="RATE", help="of lines, as tc has them: 1gbit")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--cases", type=int, default=len(CASES), metavar="N", help="the first so many networks alone")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.worker:
        print(json.dumps([_measured(case, options.rounds) for case in CASES[: options.cases]]), flush=True)
        return
    loopback = _both(options, [f"127.0.0.1:{PORT}", f"127.0.0.1:{PORT + 1}"], [[], []])
    print(_table(loopback))
    for rate in options.rates:
        with _line(rate):
            starts = [["ip", "netns", "exec", name] for name in NETWORKS]
            found = _both(options, [f"{address}:{PORT}" for address in ADDRESSES], starts)
        print(f"\n{rate}\n\n{_line_table(loopback, found, _bits(rate))}")


def _both(
    options: argparse.Namespace, addresses: Sequence[str], starts: Sequence[Sequence[str]]
) -> list[dict[str, float]]:
    """What worker 0 has measured, while worker 1 did its part; each on one processor."""
    processors = sorted(os.sched_getaffinity(0))
    processes = []
    for index, start in enumerate(starts):
        own = {"TF_CONFIG": cluster_variable(tuple(addresses), index), "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [*start, sys.executable, "-m", "benchmarks.workers", "--worker"]
        command += ["--rounds", str(options.rounds), "--cases", str(options.cases)]
        process = subprocess.Popen(
            command, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        os.sched_setaffinity(process.pid, {processors[index % len(processors)]})
        processes.append(process)
    output = processes[0].communicate()[0]
    for process in processes[1:]:
        process.communicate()
    if processes[0].returncode:
        raise SystemExit(f"a worker failed: run it with TF_CONFIG of your own to see why: {command}")
    measured: list[dict[str, float]] = json.loads(output)
    return measured


def _measured(case: Case, rounds: int) -> dict[str, float]:
    """Median milliseconds of each contestant, and the losses of one and two workers after the first few steps.

    Later ones say nothing: always the same batch is learned by heart, and losses near zero are far apart as a share.
    """
    contestants, facts = _contestants(case)
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(WARMUP):
        for run in contestants.values():
            run()
    known = facts()
    calls = 3 if case.units * case.batch * case.steps > 500_000 else 20
    for number in range(rounds):
        for name in (*contestants, *contestants)[number % len(contestants) :][: len(contestants)]:
            contestants["meet"]()  # so that no turn begins with waiting for the other's last one
            begin = time.perf_counter()
            for _ in range(calls):
                contestants[name]()
            times[name].append((time.perf_counter() - begin) / calls)
    return {**known, **{name: 1e3 * statistics.median(seconds) for name, seconds in times.items()}}


def _contestants(case: Case) -> tuple[dict[str, Callable[[], object]], Callable[[], dict[str, float]]]:
    """Name -> one step of each, and what is known of them in the end."""
    import numpy as np
    import tensorflow as tf

    from rnnapps.config import TrainingConfig
    from rnnapps.training.workers import ALONE, JointWorkers, join_workers

    config = TrainingConfig(strategy="multiworker", batch_size=case.batch, warmup_steps=0)
    workers = join_workers(config)
    assert isinstance(workers, JointWorkers)
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (case.batch, case.steps + 1)).astype(np.int32)
    half = tokens[workers.index * case.batch // 2 : (workers.index + 1) * case.batch // 2]
    alone, joint, silent = (_model(case, config, who) for who in (ALONE, workers, _silent(workers)))
    steps = {name: _step(model, half if name != "one" else tokens) for name, model in
             {"one": alone, "two": joint, "two without their sum": silent}.items()}  # fmt: skip
    if not workers.chief:
        steps["one"] = lambda: None
    vector = tf.zeros((sum(int(np.prod(weight.shape)) for weight in alone.network.trainable_weights) + 3,))
    added = tf.function(workers.sum, autograph=False)
    meeting = tf.function(lambda: workers.sum(tf.zeros((1,))), autograph=False)
    steps |= {"sum": lambda: added(vector).numpy(), "meet": lambda: meeting().numpy()}
    steps["two by Keras"] = _keras_step(case, workers, half)

    def facts() -> dict[str, float]:
        losses = {"loss of one": float(alone.last_loss), "loss of two": float(joint.last_loss)}
        return {"parameters": float(vector.shape[0] - 3), **losses}

    return steps, facts


def _model(case: Case, config: Any, workers: Workers) -> TrainingModel:
    import keras
    import tensorflow as tf

    from rnnapps.config import TokenModelConfig
    from rnnapps.layers.token_network import token_network
    from rnnapps.metrics.text import nats
    from rnnapps.training.trainer import TrainingModel

    keras.utils.set_random_seed(1)
    network = token_network(TokenModelConfig(case.cell, case.units), VOCABULARY)
    spec = tf.TensorSpec((case.batch // workers.count, case.steps), tf.int32)
    batch = {"inputs": {"tokens": spec}, "targets": spec, "reset": tf.TensorSpec((), tf.bool)}
    return TrainingModel(
        network,
        lambda outputs, batch: tf.reduce_mean(nats(outputs["logits"], batch["targets"])),
        config,
        batch,
        workers=workers,
    )


def _step(model: TrainingModel, tokens: Any) -> Callable[[], object]:
    """One update by always the same batch; returns its loss."""
    import tensorflow as tf

    from rnnapps.training.shards import SHARE

    batch = {"inputs": {"tokens": tf.constant(tokens[:, :-1])}, "targets": tf.constant(tokens[:, 1:])}
    batch |= {"reset": tf.constant(True)}
    batch |= {SHARE: tf.constant(1 / model.workers.count)} if model.workers.count > 1 else {}
    step = tf.function(model.train_step, autograph=False, jit_compile=model.jit_compile)

    def run() -> float:
        step(batch)
        return float(model.last_loss)

    return run


def _keras_step(case: Case, workers: Any, tokens: Any) -> Callable[[], object]:
    """The update by Keras's optimizer, which adds up gradients by itself under a strategy."""
    import keras
    import tensorflow as tf

    from rnnapps.config import TokenModelConfig
    from rnnapps.layers.token_network import token_network, zero_states
    from rnnapps.metrics.text import nats

    with workers.strategy.scope():
        keras.utils.set_random_seed(1)
        network = token_network(TokenModelConfig(case.cell, case.units), VOCABULARY)
        optimizer = keras.optimizers.Adam(1e-3)
        optimizer.build(network.trainable_variables)
    inputs, targets = tf.constant(tokens[:, :-1]), tf.constant(tokens[:, 1:])

    def update() -> Tensor:
        with tf.GradientTape() as tape:
            outputs = network({"tokens": inputs, "states": zero_states(network, len(tokens))}, training=True)
            loss = tf.reduce_mean(nats(outputs["logits"], targets)) / workers.count
        optimizer.apply(
            tape.gradient(loss, [v.value for v in network.trainable_variables]), network.trainable_variables
        )
        return loss

    step = tf.function(lambda: workers.strategy.run(update), autograph=False)
    return lambda: step().numpy()


def _silent(workers: Workers) -> Workers:
    """The same workers, which do not talk: what a step takes without communication."""
    from rnnapps.training.workers import Workers as Alone

    class Silent(Alone):
        index, count = workers.index, workers.count

        def sum(self, vector: Tensor) -> Tensor:
            return vector * self.count

    return Silent()


@contextlib.contextmanager
def _line(rate: str) -> Iterator[None]:
    """Two network namespaces, joined by a line that passes so many bits a second each way."""
    commands = [f"ip netns add {name}" for name in NETWORKS]
    commands += ["ip link add rnnapps0 type veth peer name rnnapps1"]
    for number, (name, address) in enumerate(zip(NETWORKS, ADDRESSES, strict=True)):
        commands += [f"ip link set rnnapps{number} netns {name}"]
        inside = [
            f"ip addr add {address}/24 dev rnnapps{number}",
            f"ip link set rnnapps{number} up",
            "ip link set lo up",
        ]
        inside += [f"tc qdisc add dev rnnapps{number} root tbf rate {rate} burst 128kb latency 100ms"]
        commands += [f"ip netns exec {name} {command}" for command in inside]
    try:
        for command in commands:
            subprocess.run(command.split(), check=True)
        yield
    finally:
        for name in NETWORKS:
            subprocess.run(["ip", "netns", "del", name], check=False)


def _bits(rate: str) -> float:
    """Bits a second of a rate such as 100mbit."""
    return float(rate[:-4]) * RATES[rate[-4:]]


def _table(measured: Sequence[Mapping[str, float]]) -> str:
    """Two workers beside one."""
    names = ["network, batch", "kB a step", "one", "two", "two by Keras", "without their sum", "sum alone"]
    lines = [f"| {' | '.join([*names, 'in communication', 'losses apart'])} |", "|---" + "|--:" * 8 + "|"]
    for case, row in zip(CASES, measured, strict=False):
        share = 1 - row["two without their sum"] / row["two"]
        figures = [row[name] for name in ("one", "two", "two by Keras", "two without their sum", "sum")]
        times = " | ".join(f"{each:,.1f}" for each in figures)
        apart = abs(row["loss of two"] / row["loss of one"] - 1)
        size = wire_bytes(int(row["parameters"]), 2) / 1e3
        lines += [f"| {case} | {size:,.0f} | {times} | {share:.0%} | {apart:.0e} |"]
    return "\n".join(lines)


def _line_table(loopback: Sequence[Mapping[str, float]], found: Sequence[Mapping[str, float]], bits: float) -> str:
    """Measured through a line, beside what the formula makes of the loopback's figures."""
    lines = ["| network, batch | one | two | two, predicted |", "|---|--:|--:|--:|"]
    for case, plain, row in zip(CASES, loopback, found, strict=False):
        expected = predicted_milliseconds(
            plain["two without their sum"], plain["sum"], parameters=int(plain["parameters"]), bits_per_second=bits
        )
        lines += [f"| {case} | {row['one']:,.1f} | {row['two']:,.1f} | {expected:,.1f} |"]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
