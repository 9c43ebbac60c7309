"""The model card, from what the pipeline and the run know."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.verbs.members import find_members, read_members
from rnnapps.verbs.opening import OpenModel
from rnnapps.verbs.runs import read_evaluation

if TYPE_CHECKING:
    from rnnapps.reports.model_card import ModelCard

__all__ = ["describe_model"]

LICENCE_NOTE = "The licence of the training data decides what the model may be used for; check it before publishing."


def describe_model(pipeline: Pipeline[Any, Any, Any], model: OpenModel) -> ModelCard:
    """What a person must know before using the model."""
    from rnnapps.reports.model_card import ModelCard
    from rnnapps.training.environment import kept_environment

    config, folder = model.fitted.config, model.folder
    rows = folder.read_metrics() if folder else []
    facts = {
        "pipeline": pipeline.name,
        "cell": str(getattr(config.model, "cell", "")),
        "parameters": f"{model.fitted.network.count_params():,}",
        "seed": str(config.seed),
    }
    if (members := find_members(model.path)) is not None:
        facts["ensemble of"] = f"{len(read_members(pipeline, members))} networks"
    facts |= pipeline.card_facts(model.fitted)
    if rows:
        facts["training steps"] = f"{rows[-1]['step']:,}"
        if "SOURCE_DATE_EPOCH" not in os.environ:  # builds that are to be the same again read no clock
            facts["training seconds"] = f"{rows[-1]['elapsed_seconds']:,.0f}"
    if folder and (kept := kept_environment(folder.path)):
        facts |= {f"trained with {name}": str(value) for name, value in kept[-1].items() if name != "step"}
    return ModelCard(
        name=pipeline.name.replace("_", " ").capitalize(),
        task=pipeline.summary,
        data_source=str(getattr(config.data, "source", "")),
        licence_note=LICENCE_NOTE,
        intended_use=pipeline.intended_use,
        limitations=pipeline.limitations,
        evaluation=read_evaluation(folder) if folder else None,
        facts={name: value for name, value in facts.items() if value},
    )
