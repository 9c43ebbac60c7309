"""Several workers of one training on this machine: started, told of each other, listened to, and ended together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NoReturn

from rnnapps.errors import ConfigError
from rnnapps.training.cluster import VARIABLE, cluster_variable, parse_cluster

__all__ = ["Waits", "become_worker", "gpus_of_workers", "launch", "worker_command"]

VERBS = ("train", "finetune")
STRATEGY = "--training.strategy"
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_SECONDS = 0.05
PORT = 3456
"""Where a worker listens whose address names no port."""


@dataclass(frozen=True)
class Waits:
    """How long the other workers may take, once one has failed.

    Attributes:
        alone: to end by themselves, in seconds: they notice that one is missing, and say so.
        asked: to end after SIGTERM, in seconds, before they are killed.
    """

    alone: float = 15.0
    asked: float = 5.0


def worker_command(words: Sequence[str]) -> list[str]:
    """The command of a worker.

    Args:
        words: as behind `rnnapps`: a pipeline, `train` or `finetune`, flags.

    Raises:
        ConfigError: it is another verb, which several workers cannot share.
    """
    if len(words) < 2 or words[1] not in VERBS:
        given = f", not `{' '.join(words[:2])}`" if words else ""
        raise ConfigError(f"launch: PIPELINE train or PIPELINE finetune expected behind --{given}")
    named = any(word.partition("=")[0] == STRATEGY for word in words)
    return [sys.executable, "-m", "rnnapps", *words, *([] if named else [STRATEGY, "multiworker"])]


def become_worker(command: Sequence[str], hosts: Sequence[str], index: int | None) -> NoReturn:
    """Replaces this process by one worker of a training on several machines.

    Args:
        command: program and arguments.
        hosts: where the workers are, each with or without a port.
        index: which of them this is.

    Raises:
        ConfigError: there are no hosts, or none of this number.
    """
    addresses = tuple(host if _names_port(host) else f"{host}:{PORT}" for host in hosts)
    if not addresses or index is None or not 0 <= index < len(addresses):
        raise ConfigError(
            f"launch: --index from 0 to below the number of --hosts, which is {len(addresses)}, not {index}"
        )
    value = cluster_variable(addresses, index)
    parse_cluster(value)
    os.execvpe(command[0], list(command), {**os.environ, VARIABLE: value})


def _names_port(host: str) -> bool:
    """Whether an address ends in a port; one of IPv6 alone has colons of its own."""
    return host.rpartition(":")[2].isdigit() and (host.count(":") == 1 or "]:" in host)


def launch(
    command: Sequence[str],
    workers: int,
    *,
    waits: Waits | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Runs a command once for each worker, until all have ended.

    Each finds the others through `TF_CONFIG`, has an even share of the processors, and a GPU of its own where there are
    some. What worker 0 writes to standard output is passed on as it is; everything else goes to standard error, each
    line behind the number of its worker. When one fails, the others are ended. Ctrl-C, SIGTERM and SIGHUP are passed on
    to all.

    Args:
        command: program and arguments.
        workers: how many, at least 1.
        waits: how long the others may take when one has failed.
        environment: their variables; those of this process when None.

    Returns:
        0, or the exit code of the worker that failed first; 128 + number of a signal that ended it.

    Raises:
        ConfigError: there are fewer GPUs than workers.
    """
    if workers < 1:
        raise ConfigError(f"--workers must be at least 1, not {workers}")
    addresses = tuple(f"127.0.0.1:{port}" for port in _free_ports(workers))
    variables = os.environ if environment is None else environment
    gpus = gpus_of_workers(workers, variables, _gpus())
    shares = _shares(sorted(os.sched_getaffinity(0)), workers)
    processes: list[subprocess.Popen[bytes]] = []
    with _passed_on(processes):
        for index in range(workers):
            own = {VARIABLE: cluster_variable(addresses, index), "PYTHONUNBUFFERED": "1"}
            own |= {"CUDA_VISIBLE_DEVICES": gpus[index]} if gpus else {}
            processes.append(_started(command, {**variables, **own}, shares[index] if shares else None))
        listeners = [thread for index, process in enumerate(processes) for thread in _listeners(index, process)]
        code = _ended(processes, waits or Waits())
        for thread in listeners:
            thread.join()
    return code


def gpus_of_workers(workers: int, environment: Mapping[str, str], present: int) -> list[str]:
    """The value of CUDA_VISIBLE_DEVICES for each worker; none where there are no GPUs, or none are wanted.

    Args:
        workers: how many.
        environment: in which CUDA_VISIBLE_DEVICES may name some of the GPUs, or none.
        present: GPUs of the machine.

    Raises:
        ConfigError: there are fewer GPUs than workers.
    """
    named = environment.get("CUDA_VISIBLE_DEVICES")
    every = [str(number) for number in range(present)] if named is None else named.split(",") if named else []
    usable = [each for each in every if each not in ("", "-1")] if present else []
    if 0 < len(usable) < workers:
        raise ConfigError(
            f"--workers {workers}: each needs a GPU of its own, but there are {len(usable)}; start fewer, or train on "
            f"processors with CUDA_VISIBLE_DEVICES=-1"
        )
    return usable[:workers]


def _gpus() -> int:
    """GPUs of this machine, as NVIDIA's driver lists them."""
    return len(list(Path("/proc/driver/nvidia/gpus").glob("*")))


def _shares(processors: Sequence[int], workers: int) -> list[set[int]]:
    """Neighbouring processors for each worker, as many for each; none where there are fewer than workers."""
    each = len(processors) // workers
    return [set(processors[index * each : (index + 1) * each]) for index in range(workers)] if each else []


def _free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens at."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _started(
    command: Sequence[str], environment: Mapping[str, str], processors: set[int] | None
) -> subprocess.Popen[bytes]:
    # In a session of its own: what a terminal sends to all of its processes reaches a worker once, from here.
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    if processors:
        with contextlib.suppress(OSError):  # it may have ended
            os.sched_setaffinity(process.pid, processors)
    return process


def _listeners(index: int, process: subprocess.Popen[bytes]) -> Iterator[threading.Thread]:
    """What passes on a worker's lines."""
    assert process.stdout is not None and process.stderr is not None
    targets = [(process.stdout, None if index == 0 else index), (process.stderr, index)]
    for stream, prefix in targets:
        thread = threading.Thread(target=_pass_lines, args=(stream, prefix), daemon=True)
        thread.start()
        yield thread


def _pass_lines(stream: BinaryIO, index: int | None) -> None:
    """Lines of a worker: as they are to standard output, or behind its number to standard error."""
    with stream:
        for line in stream:
            text = line.decode("utf-8", errors="replace")
            if index is None:
                print(text, end="", flush=True)
            else:
                print(f"[{index}] {text.rstrip()}", file=sys.stderr, flush=True)


def _ended(processes: Sequence[subprocess.Popen[bytes]], waits: Waits) -> int:
    """Waits for all; the first exit code that is not 0."""
    failed, since, asked = 0, 0.0, False
    while None in (every := [process.poll() for process in processes]):
        codes = [code for code in every if code]
        if codes and not failed:
            failed, since = codes[0], time.monotonic()
        late = time.monotonic() - since
        if failed and late > waits.alone and not asked:
            asked = True
            _send(processes, signal.SIGTERM)
        if failed and late > waits.alone + waits.asked:
            _send(processes, signal.SIGKILL)
        time.sleep(LOOK_SECONDS)
    code = failed or next((process.returncode for process in processes if process.returncode), 0)
    return code if code >= 0 else 128 - code


def _send(processes: Sequence[subprocess.Popen[bytes]], number: int) -> None:
    """A signal to all that still run."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(number)


@contextlib.contextmanager
def _passed_on(processes: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Signals go to the workers, which say what they do, for as long as these run."""

    def receive(number: int, frame: FrameType | None) -> None:
        _send(processes, number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, receive) for number in PASSED_ON}
    try:
        yield
    finally:
        _send(processes, signal.SIGKILL)
        for number, handler in before.items():
            signal.signal(number, handler)
