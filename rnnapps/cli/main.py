"""The command `rnnapps`: a pipeline's verbs, and what is independent of one pipeline."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from rnnapps.cli.certifying import add_certify, certify_command
from rnnapps.cli.commands import Commands, add_command
from rnnapps.cli.deploying import add_deploy, deploy_command
from rnnapps.cli.ensembles import add_ensemble, ensemble_command
from rnnapps.cli.fitting import add_fit, fit_command
from rnnapps.cli.launching import add_launch, launch_command
from rnnapps.cli.outcome import run_command
from rnnapps.cli.paging import add_page, page_command
from rnnapps.cli.runs import add_runs, runs_command
from rnnapps.cli.scoring import add_score, score_command
from rnnapps.errors import ConfigError

__all__ = ["build_parser", "console_script", "main"]

EXAMPLES = """\
`rnnapps PIPELINE VERB [flags]` trains and uses a model; `rnnapps list` lists the pipelines, and
`rnnapps PIPELINE --help` their verbs.

examples:
  rnnapps list                           cells, pipelines and their configurations
  rnnapps fit DATA                       a model of data, from recognising the task to its export
  rnnapps PIPELINE train --config demo   train on built-in data
  rnnapps launch -- PIPELINE train       train in several processes
  rnnapps models                         trained models, to be used as zoo:NAME
  rnnapps runs                           runs and their scores side by side
  rnnapps ensemble RUN RUN --to RUN      runs joined to one model
  rnnapps verify saved_models/NAME/1     prove that an export serves
  rnnapps serve saved_models             serve exports over REST and gRPC
  rnnapps score saved_models/NAME ROWS   answer many rows of files
  rnnapps deploy saved_models            files for TensorFlow Serving's image
  rnnapps page saved_models/NAME         a page of one file, in which it runs without a server
  rnnapps certify lstm min_gru           try what recurrent cells can do
"""


def console_script() -> None:
    """Entry point of the installed command."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `rnnapps`.

    Args:
        argv: the words behind the command; those of this process when None.

    Returns:
        The exit code: 0, 2 after an error or a failed verification, 130 after Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    return run_command(lambda: _run(words))


def _run(words: Sequence[str]) -> int:
    if words and not words[0].startswith("-") and words[0] not in NAMES:
        return _run_pipeline(words[0], words[1:])
    if words[:1] == ["serve"]:
        from rnnapps.cli.serving import serve_command

        return serve_command(words[1:])
    arguments = build_parser().parse_args(words)
    if arguments.version:
        from rnnapps import __version__

        print(f"rnnapps {__version__}")
    elif arguments.command is not None:
        return COMMANDS[arguments.command](arguments)
    else:
        build_parser().print_help()
    return 0


def _run_pipeline(name: str, words: Sequence[str]) -> int:
    from rnnapps.cli.pipeline_cli import run_verb
    from rnnapps.verbs.pipelines import find_pipeline, pipeline_entries
    from rnnapps.verbs.settings import nearest

    entries = pipeline_entries()
    if name not in entries:
        choices = [*NAMES, *entries]
        begun = next((f"; did you mean '{choice}'?" for choice in choices if choice.startswith(name)), "")
        hint = begun or nearest(name, choices) or f"; there are {', '.join(choices)}"
        raise ConfigError(f"no command or pipeline is called '{name}'{hint}; see rnnapps --help")
    return run_verb(find_pipeline(name), words)


def _list(_: argparse.Namespace) -> int:
    from rnnapps.cli.listing import print_listing

    print_listing()
    return 0


def _models(arguments: argparse.Namespace) -> int:
    from rnnapps.cli.models import models_command

    return models_command(arguments.name, arguments.to, as_json=arguments.json)


def _new(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from rnnapps.cli.new import new

    return new(arguments.kind, arguments.name, Path(arguments.to))


def _verify(arguments: argparse.Namespace) -> int:
    from rnnapps.cli.verification import verify_folder

    return verify_folder(arguments.folder, as_json=arguments.json, allow=arguments.allow, key=arguments.key)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "certify": certify_command,
    "deploy": deploy_command,
    "ensemble": ensemble_command,
    "fit": fit_command,
    "launch": launch_command,
    "list": _list,
    "models": _models,
    "new": _new,
    "page": page_command,
    "runs": runs_command,
    "score": score_command,
    "verify": _verify,
}
NAMES = (*COMMANDS, "serve")


def build_parser() -> argparse.ArgumentParser:
    """What reads the commands that are no pipeline's."""
    parser = argparse.ArgumentParser(
        prog="rnnapps",
        description="Recurrent networks from raw sequences to verified TensorFlow SavedModels.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    add_command(
        commands,
        "list",
        "rnnapps list",
        summary="list the recurrent cells, and the installed pipelines with their configurations",
        description="List the recurrent cells (values of --model.cell), and the installed pipelines.",
    )
    add_certify(commands)
    add_fit(commands)
    add_launch(commands)
    _add_models(commands)
    add_runs(commands)
    add_ensemble(commands)
    add_score(commands)
    _add_verify(commands)
    add_deploy(commands)
    add_page(commands)
    # Its flags are those of another parser, which nobody waits for who does not ask.
    commands.add_parser(
        "serve", help="serve exported models as TensorFlow Serving does, and as streams", add_help=False
    )
    _add_new(commands)
    return parser


def _add_models(commands: Commands) -> None:
    """The command `models`."""
    parser = add_command(
        commands,
        "models",
        "rnnapps models",
        "rnnapps PIPELINE predict --run zoo:NAME ...",
        "rnnapps models text --to saved_models/text",
        summary="list the trained models of rnnapps-models, or unpack one",
        description="List the trained models of the package rnnapps-models, which `--run zoo:NAME` and "
        "`--from zoo:NAME` use without training, or unpack one of them as a folder of versions.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a model to unpack")
    parser.add_argument("--to", metavar="DIR", help="the folder to unpack it into, which must not exist")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_new(commands: Commands) -> None:
    """The command `new`."""
    new = add_command(
        commands,
        "new",
        "rnnapps new pipeline gestures --to ~/work",
        "rnnapps new cell leaky --to .",
        summary="write a pipeline or a cell of your own, which works from the first minute",
        description="Write a package with a pipeline, or a cell with its test, to start from; both pass their checks.",
    )
    new.add_argument("kind", choices=["pipeline", "cell"], metavar="KIND", help="pipeline or cell")
    new.add_argument("name", metavar="NAME", help="its name: lower case with underscores")
    new.add_argument("--to", default=".", metavar="DIR", help="the folder it goes into; by default the current one")


def _add_verify(commands: Commands) -> None:
    """The command `verify`."""
    verify = add_command(
        commands,
        "verify",
        "rnnapps verify saved_models/NAME/1",
        "rnnapps verify saved_models/NAME/1 --json",
        "rnnapps verify saved_models/NAME/1 --key public.pem",
        summary="check an exported model as TensorFlow Serving would load it",
        description="Load an exported model with TensorFlow's C API, run every signature and compare the answers.",
    )
    verify.add_argument("folder", metavar="DIR", help="one version of a model: the folder of saved_model.pb")
    verify.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    verify.add_argument(
        "--allow",
        nargs="+",
        default=[],
        metavar="OPERATION",
        help="operations that it may hold beside those of rnnapps' own exports, if they do nothing but compute",
    )
    verify.add_argument("--key", metavar="FILE", help="public key (PEM, Ed25519) that it must be signed with")
