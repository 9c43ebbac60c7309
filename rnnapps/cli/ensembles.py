"""`rnnapps ensemble`: several runs as one model."""

from __future__ import annotations

import argparse
from pathlib import Path

from rnnapps.cli.commands import Commands, add_command

__all__ = ["add_ensemble", "ensemble_command"]


def add_ensemble(commands: Commands) -> None:
    """The command `ensemble` and its flags."""
    parser = add_command(
        commands,
        "ensemble",
        "rnnapps ensemble runs/PIPELINE/seed0 runs/PIPELINE/seed1 --to runs/PIPELINE/both",
        "rnnapps PIPELINE export --run runs/PIPELINE/both --to saved_models/NAME",
        summary="join runs to one model, whose answers are the mean of theirs",
        description="Join runs of one pipeline, on the same data, to a run whose network holds all of theirs: its "
        "answers are the mean of their probabilities, means or quantiles. It is evaluated, used and exported like any "
        "other run.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="the runs, two or more; it is used as the first")
    parser.add_argument("--to", required=True, metavar="DIR", help="folder of the new run, which must not exist")
    parser.add_argument("--skip_evaluation", action="store_true", help="end without measuring it beside its baselines")
    parser.add_argument("--json", action="store_true", help="print JSON")


def ensemble_command(arguments: argparse.Namespace) -> int:
    """Joins the runs.

    Raises:
        RnnappsError: see `rnnapps.verbs.ensemble`.
    """
    from rnnapps.cli.result import output, print_json
    from rnnapps.cli.verbs import shown_training
    from rnnapps.verbs.ensemble import ensemble, require_members
    from rnnapps.verbs.loading import load_tensorflow
    from rnnapps.verbs.pipelines import find_pipeline
    from rnnapps.verbs.yaml_files import read_pipeline_name

    paths, to = [Path(run) for run in arguments.runs], Path(arguments.to)
    require_members(paths, to)
    pipeline = find_pipeline(read_pipeline_name(paths[0] / "config.yaml"))
    load_tensorflow()
    result = shown_training(pipeline, ensemble(pipeline, paths, to, judged=not arguments.skip_evaluation))
    if arguments.json:
        print_json(result.data)
    else:
        result.show(output())
    return 0
