"""How every command ends: its exit code, and one line on standard error when something is wrong."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import TextIO

from rnnapps.errors import Interrupted, RnnappsError

__all__ = ["run_command"]

INTERRUPTED = 130
BROKEN_PIPE = 141


def run_command(command: Callable[[], int]) -> int:
    """Runs a command and turns its exceptions into exit codes.

    Returns:
        What the command returned; 2 after an error a user can mend (one line on standard error), 130 after Ctrl-C, 141
        when the reader of standard output has gone.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _escape_what_cannot_be_shown(sys.stdout, sys.stderr)
    try:
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


def _escape_what_cannot_be_shown(*streams: TextIO) -> None:
    r"""Prints a character that a stream's encoding lacks, or half a surrogate pair, as an escape such as \xe9."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
