"""The model card of a run, from what the pipeline and the run know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnapps.cli.runs import OpenRun, read_evaluation

if TYPE_CHECKING:
    from rnnapps.contract.pipeline import Pipeline
    from rnnapps.reports.model_card import ModelCard

__all__ = ["describe_model"]

LICENCE_NOTE = "The licence of the training data decides what the model may be used for; check it before publishing."


def describe_model(pipeline: Pipeline[Any], run: OpenRun) -> ModelCard:
    """What a person must know before using the exported model."""
    from rnnapps.reports.model_card import ModelCard

    rows = run.folder.read_metrics()
    facts = {
        "pipeline": pipeline.name,
        "cell": str(getattr(run.config.model, "cell", "")),
        "parameters": f"{run.network.count_params():,}",
        "seed": str(run.config.seed),
    }
    if rows:
        facts |= {"training steps": f"{rows[-1]['step']:,}", "training seconds": f"{rows[-1]['elapsed_seconds']:,.0f}"}
    return ModelCard(
        name=pipeline.name.replace("_", " ").capitalize(),
        task=pipeline.summary,
        data_source=str(getattr(run.config.data, "source", "")),
        licence_note=LICENCE_NOTE,
        intended_use=pipeline.intended_use,
        limitations=pipeline.limitations,
        evaluation=read_evaluation(run.folder),
        facts={name: value for name, value in facts.items() if value},
    )
