"""The verb `predict` as a command: each result printed as soon as it is known, those that cannot be had among them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rnnapps.cli.arguments import Arguments
from rnnapps.cli.result import output, print_json, printed
from rnnapps.contract.bad_examples import BadExample
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import RnnappsError
from rnnapps.printable import name_list, printable
from rnnapps.verbs.opening import open_model

__all__ = ["predict"]

BETWEEN = "-" * 40
"""Between two results of which one has several lines."""

SHOWN = 3


def predict(pipeline: Pipeline[Any, Any, Any], arguments: Arguments) -> int:
    """Prints finished results for raw inputs, a line each; of inputs that cannot be read what is wrong with them.

    Returns:
        The exit code: that of an error where an input could not be read.
    """
    as_json = bool(arguments.options.get("json"))
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        model = open_model(pipeline, Path(arguments.options["run"]), arguments.config)
        results = pipeline.predict(model.fitted, arguments.predict)
        found = list(results) if as_json else _shown(results)
    if as_json:
        print_json({"results": [printed(result) for result in found]})
    return _told(found)


def _shown(results: Iterable[Any]) -> list[Any]:
    """The results, each printed when it comes."""
    found, long, console = [], False, output()
    for result in results:
        item = printed(result)
        found.append(result)
        several = isinstance(item, str) and "\n" in item
        if len(found) > 1 and (long or several):
            print(BETWEEN, file=console.file)
        long = several
        if isinstance(item, str):
            print(printable(item) if console.is_terminal else item, file=console.file)
        else:
            print_json(item, console.file)
        console.file.flush()
    return found


def _told(results: list[Any]) -> int:
    """The exit code, once it is told which inputs have no result."""
    bad = [result for result in results if isinstance(result, BadExample)]
    if not bad:
        return 0
    count = "1 input" if len(bad) == 1 else f"{len(bad):,} inputs"
    print(f"error: {count} cannot be read: {name_list([example.file for example in bad], SHOWN)}", file=sys.stderr)
    return RnnappsError.exit_code
