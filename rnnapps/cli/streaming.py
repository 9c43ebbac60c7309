"""The verb `stream` as a command: each piece printed as soon as it is known."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnapps.cli.arguments import Arguments
from rnnapps.cli.result import print_json, printed
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.verbs.opening import OpenModel, open_model

__all__ = ["stream"]

AnyPipeline = Pipeline[Any, Any, Any]


def stream(pipeline: AnyPipeline, arguments: Arguments) -> int:
    """Prints pieces of the result as soon as they exist.

    With `--json` each is a line of JSON: the fields of a piece that is else printed as text. With `--state` a header is
    printed where the stream begins alone, so that outputs of several runs of the command are one table.
    """
    model, shown = open_model(pipeline, Path(arguments.options["run"]), arguments.config), ""
    as_json = bool(arguments.options.get("json"))
    state = Path(arguments.options["state"]) if arguments.options.get("state") else None
    header = "" if as_json or (state is not None and state.exists()) else pipeline.stream_header
    with _pieces(pipeline, model, arguments, state) as pieces:
        for piece in pieces:
            shown = printed(piece)
            if isinstance(shown, str) and not isinstance(piece, str):
                shown = shown.removesuffix("\n") + "\n"  # a result of its own: a line
            if as_json:
                print_json({"piece": piece} if isinstance(piece, str) else piece if isinstance(shown, str) else shown)
            elif isinstance(shown, str):
                sys.stdout.write(header + shown)
                header = ""
            else:
                print_json(shown)
            sys.stdout.flush()
    sys.stdout.write(header)
    whole_text = not as_json and state is None and not pipeline.stream_header  # else more of it may follow
    if whole_text and isinstance(shown, str) and not shown.endswith("\n"):
        print()
    return 0


@contextlib.contextmanager
def _pieces(
    pipeline: AnyPipeline, model: OpenModel, arguments: Arguments, state: Path | None
) -> Iterator[Iterator[Any]]:
    """The pieces; with a state, signals end them between two of them, or where they wait for input."""
    from rnnapps.training.signals import StopSignals
    from rnnapps.verbs.stream import stream_pieces
    from rnnapps.verbs.stream_state import DEFAULT_SECONDS

    if state is None:
        yield stream_pieces(pipeline, model.fitted, arguments.predict)
        return
    seconds = _seconds(arguments.options.get("state_seconds") or str(DEFAULT_SECONDS))
    with StopSignals(lambda line: print(line, file=sys.stderr)) as signals:
        pieces = stream_pieces(pipeline, model.fitted, arguments.predict, state=state, seconds=seconds, signals=signals)
        with contextlib.closing(pieces):  # type: ignore[type-var]
            yield pieces


def _seconds(text: str) -> float:
    """The interval at which a state is written."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ConfigError(f"--state_seconds must be a number of seconds, at least 0, not '{text}'")
    return seconds
