"""How every command ends: its exit code, and one line on standard error when something is wrong."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TextIO, cast

from rnnapps.errors import Interrupted, RnnappsError
from rnnapps.printable import PrintableStream

__all__ = ["run_command"]

INTERRUPTED = 130
BROKEN_PIPE = 141
STOPPING = (signal.SIGTERM, signal.SIGHUP)


def run_command(command: Callable[[], int]) -> int:
    """Runs a command and turns its exceptions into exit codes.

    Returns:
        What the command returned; 2 after an error (one line on standard error; the traceback of a defect is in a file
        that the line names), 130 after Ctrl-C, 141 when the reader of standard output has gone.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _escape_what_cannot_be_shown(sys.stdout, sys.stderr)
    with _printable_streams():
        return _code_of(command)


def _code_of(command: Callable[[], int]) -> int:
    """Runs a command, and prints the one line of what ended it."""
    try:
        with _told_of_signals():
            code = command()
        sys.stdout.flush()
        return code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Interrupted as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except RnnappsError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"error: {place}{error.strerror or error}", file=sys.stderr)
        return RnnappsError.exit_code
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        print(f"error: unexpected {what}; this is a defect of rnnapps: please report {_kept(error)}", file=sys.stderr)
        return RnnappsError.exit_code


@contextlib.contextmanager
def _printable_streams() -> Iterator[None]:
    """Nothing but printable text reaches standard error, and standard output where it is a terminal."""
    before = sys.stdout, sys.stderr
    sys.stderr = cast(TextIO, PrintableStream(sys.stderr))
    if sys.stdout.isatty():
        sys.stdout = cast(TextIO, PrintableStream(sys.stdout))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _kept(error: Exception) -> str:
    """The file that a traceback was written to."""
    with tempfile.NamedTemporaryFile("w", prefix="rnnapps-error-", suffix=".txt", delete=False) as file:
        file.writelines(traceback.format_exception(error))
    return file.name


@contextlib.contextmanager
def _told_of_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end a command in one line; training, while it runs, answers them itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted(f"stopped by {signal.Signals(number).name}", 128 + number)

    numbers = [number for number in STOPPING if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _escape_what_cannot_be_shown(*streams: TextIO) -> None:
    r"""Prints a character that a stream's encoding lacks, or half a surrogate pair, as an escape such as \xe9."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
