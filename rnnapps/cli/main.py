"""The command `rnnapps`: what is independent of one pipeline."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rnnapps.cli.outcome import run_command

__all__ = ["console_script", "main"]

EXAMPLES = """\
examples:
  rnnapps list                                   cells and pipelines
  rnnapps verify saved_models/text_generation/1  prove that an export serves
  python -m pipelines.text_generation --help     train and use a model
"""


def console_script() -> None:
    """Entry point of the installed command."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `rnnapps`; returns the exit code: 0, or 2 after an error or a failed verification."""
    return run_command(lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    parser = _build_parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        from rnnapps import __version__

        print(f"rnnapps {__version__}")
    elif arguments.command == "list":
        from rnnapps.cli.listing import print_listing

        print_listing()
    elif arguments.command == "verify":
        from rnnapps.cli.verification import verify_folder

        return verify_folder(arguments.folder, as_json=arguments.json)
    else:
        parser.print_help()
    return 0


def _build_parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="rnnapps",
        description="Recurrent networks from raw sequences to verified TensorFlow SavedModels.",
        epilog=EXAMPLES,
        formatter_class=raw,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser(
        "list",
        help="list the recurrent cells and the installed pipelines",
        description="List the recurrent cells (values of --model.cell) and the installed pipelines.",
        epilog="example:\n  rnnapps list",
        formatter_class=raw,
    )
    verify = commands.add_parser(
        "verify",
        help="check an exported model as TensorFlow Serving would load it",
        description="Load an exported model with TensorFlow's C API, run every signature and compare the answers.",
        epilog="examples:\n  rnnapps verify saved_models/text_generation/1\n"
        "  rnnapps verify saved_models/text_generation/1 --json",
        formatter_class=raw,
    )
    verify.add_argument("folder", metavar="DIR", help="one version of a model: the folder of saved_model.pb")
    verify.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return parser


if __name__ == "__main__":
    console_script()
