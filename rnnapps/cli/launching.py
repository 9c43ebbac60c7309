"""`rnnapps launch --workers N -- PIPELINE train ...`."""

from __future__ import annotations

import argparse

from rnnapps.cli.commands import Commands, add_command

__all__ = ["add_launch", "launch_command"]


def add_launch(commands: Commands) -> None:
    """The command `launch` and its flags."""
    parser = add_command(
        commands,
        "launch",
        "rnnapps launch --workers 2 -- PIPELINE train --config demo --run runs/shared",
        "rnnapps launch --hosts node1 node2 --index 0 -- PIPELINE train --run /shared/runs/first",
        summary="train in several processes, on this machine or on several",
        description="Start several workers of one training on this machine. They share each batch, and the model is "
        "that of one process, but for the last digits. Each gets an even share of the processors, or a GPU. What "
        "worker 0 prints is printed; messages stand behind the number of their worker. Where a worker fails all are "
        "ended; the same command goes on from the last saved state. With --hosts one worker is started, of a "
        "training on several machines: a scheduler, or a person, gives each the same command but for --index.",
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: 2)")
    parser.add_argument(
        "--hosts", nargs="+", default=[], metavar="HOST[:PORT]", help="where the workers are; the first keeps the run"
    )
    parser.add_argument("--index", type=int, metavar="N", help="which of the hosts this is, from 0")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="-- PIPELINE train ...", help="what they run")


def launch_command(arguments: argparse.Namespace) -> int:
    """Runs the workers; returns the exit code of the first that failed.

    Raises:
        ConfigError: it is no command that workers can share, or there are fewer GPUs than workers.
    """
    from rnnapps.verbs.launch import become_worker, launch, worker_command

    words = arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words
    if arguments.hosts or arguments.index is not None:
        become_worker(worker_command(words), arguments.hosts, arguments.index)
    return launch(worker_command(words), arguments.workers)
