"""Commands in forks of this process whose writes are counted by place, and which are killed just before one of them."""

from __future__ import annotations

import builtins
import importlib
import io
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["KILLED", "PLACES", "CountedCommand", "load_libraries"]

KILLED = -signal.SIGKILL
PLACES = ("data", "cache", "preprocessing", "states", "report", "export", "run")
"""Files of the source, which are opened to be read; then where writes go: a cache of prepared data, parts of the run
folder, an export, and the rest of the run."""

_LIBRARIES = ("tensorflow", "keras", "pandas", "matplotlib.pyplot", "rnnapps.cli.main")


def load_libraries() -> None:
    """Imports, without using, what every command needs: it takes longer than a small training."""
    for name in _LIBRARIES:
        importlib.import_module(name)


@dataclass(frozen=True)
class CountedCommand:
    """A command of rnnapps with a cache of its own.

    Attributes:
        arguments: of the command line.
        sources: folder of what it reads.
        cache: folder of the cache, of the list of writes and of what the command says.
    """

    arguments: Sequence[str]
    sources: Path
    cache: Path

    def run(self, place: str = "", number: int = 0) -> int:
        """Runs it, until it is killed just before the `number`-th write of a place; without a place, to its end.

        Returns:
            Its exit code, `KILLED` if it was killed.
        """
        self.cache.mkdir(parents=True, exist_ok=True)
        sys.stdout.flush()
        child = os.fork()
        if not child:
            self._run_in_child(place, number)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def writes(self) -> Counter[str]:
        """Place -> writes of the command, run to its end.

        Raises:
            RuntimeError: it fails.
        """
        if self.run():
            raise RuntimeError(f"{' '.join(self.arguments)} fails: {self.said()[-500:]}")
        return Counter(self._log.read_text().split())

    def said(self) -> str:
        """What the last run wrote to the terminal."""
        return self._output.read_text("utf-8", "replace")

    @property
    def _log(self) -> Path:
        return self.cache / "writes"

    @property
    def _output(self) -> Path:
        return self.cache / "output"

    def _run_in_child(self, place: str, number: int) -> None:
        """The command itself; does not return."""
        code = 1
        try:
            os.environ["RNNAPPS_CACHE"] = str(self.cache / "rnnapps")
            output = os.open(self._output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            sys.argv = ["rnnapps", *self.arguments]
            _Counter(self, os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), place, number).install()
            code = importlib.import_module("rnnapps.cli.main").main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code or 0)


class _Counter:
    """Notes each write in a log, and kills the process before one of them.

    Args:
        command: whose process this is.
        log: descriptor of a file that gets the place of each write, a line each.
        place: where to kill; nowhere if empty.
        number: before which of its writes.
    """

    def __init__(self, command: CountedCommand, log: int, place: str, number: int) -> None:
        self._sources, self._cache = (str(folder) + os.sep for folder in (command.sources, command.cache / "rnnapps"))
        self._log, self._place, self._left = log, place, number

    def install(self) -> None:
        """Counts from now on."""
        for name, target in {"replace": 1, "rename": 1, "fsync": 0, "unlink": 0, "mkdir": 0}.items():
            setattr(os, name, self._counted(getattr(os, name), target))
        opened = builtins.open

        def open_counted(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            if set(mode) & set("wax+") or self._place_of(file) == "data":
                self._count(file)
            return opened(file, mode, *arguments, **named)

        builtins.open = io.open = open_counted  # type: ignore[assignment]

    def _counted(self, function: Callable[..., Any], target: int) -> Callable[..., Any]:
        """A function of `os` that is counted by one of its arguments."""

        def call(*arguments: Any, **named: Any) -> Any:
            self._count(arguments[target])
            return function(*arguments, **named)

        return call

    def _count(self, target: Any) -> None:
        """Notes a write to a path or a descriptor."""
        if place := self._place_of(target):
            os.write(self._log, f"{place}\n".encode())
            self._left -= place == self._place
            if place == self._place and self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def _place_of(self, target: Any) -> str:
        """One of `PLACES`, or nothing."""
        try:
            path = os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else os.fsdecode(target)
        except (OSError, TypeError):
            return ""
        path = os.path.abspath(path)
        parts = {
            "cache": path.startswith(self._cache),
            "data": path.startswith(self._sources),
            "export": "/models" in path or "/.models" in path,
            "preprocessing": "/preprocessing" in path,
            "states": "/run/state" in path,
            "report": "/run/" in path and ("report" in path or path.endswith(".png")),
            "run": "/run/" in path or path.endswith("/run"),
        }
        return next((place for place, here in parts.items() if here), "")
