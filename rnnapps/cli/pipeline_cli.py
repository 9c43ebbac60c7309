"""The command line of a pipeline: `rnnapps <name> <verb> [flags]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rnnapps.cli.outcome import run_command
from rnnapps.cli.verb_table import VERBS, overview, program
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError

__all__ = ["main", "run_verb"]

AnyPipeline = Pipeline[Any, Any, Any]


def main(pipeline: AnyPipeline, argv: Sequence[str] | None = None) -> int:
    """Runs one verb of a pipeline.

    Args:
        pipeline: the application.
        argv: verb and flags; those of this process when None.

    Returns:
        The exit code: 0, 2 after an error (one line on standard error), 130 after Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    return run_command(lambda: run_verb(pipeline, words))


def run_verb(pipeline: AnyPipeline, words: Sequence[str]) -> int:
    """As `main`, but errors are raised.

    Raises:
        RnnappsError: whatever a user can mend.
    """
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview(pipeline))
        return 0
    verb, *flags = words
    if verb == "--version":
        from rnnapps import __version__

        print(f"rnnapps {__version__}")
        return 0
    if verb not in VERBS:
        from rnnapps.verbs.settings import nearest

        hint = nearest(verb, VERBS) or f"; the verbs are {', '.join(VERBS)}"
        raise ConfigError(f"unknown verb '{verb}'{hint}; see {program(pipeline)} --help")
    from rnnapps.cli import verbs
    from rnnapps.cli.arguments import parse_arguments

    return verbs.run(verb, pipeline, parse_arguments(pipeline, verb, flags))
