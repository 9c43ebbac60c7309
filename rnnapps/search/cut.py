"""How many steps a training has, where time is short."""

from __future__ import annotations

from typing import Any

from rnnapps.verbs.settings import assemble, flatten

__all__ = ["cut_to_time", "settled_steps"]

ONE_TRAINING = 0.4
"""The share of the search that one whole training may take: a few good ones are better than many that are cut short."""

WORTH_SEARCHING = 0.5
"""The share of its steps that a training of a search must have: several that learn too little say nothing."""

EVALUATIONS = (3, 9)
"""At least, and at most, so many in a training: the rungs of the search are among them."""

WARMUP = 0.1


def settled_steps(config: Any, seconds: float, *, first: float, step: float, searching: bool) -> tuple[Any, list[str]]:
    """The configuration, with as many steps as there is time for; and what was changed, in words.

    Args:
        config: the configuration.
        seconds: for the search, or for one training.
        first: see `cut_to_time`.
        step: see `cut_to_time`.
        searching: whether there can be a search.
    """
    cut, told = cut_to_time(config, seconds * ONE_TRAINING, first=first, step=step), []
    alone = cut.training.steps < WORTH_SEARCHING * config.training.steps
    if alone or not searching:
        cut = cut_to_time(config, seconds, first=first, step=step)
    if alone and searching:
        told.append("one training takes all of the time, and none is left for a search: give more --minutes")
    if cut.training.steps < config.training.steps:
        steps = f"{cut.training.steps} instead of {config.training.steps}"
        told.append(f"training.steps {steps}: a step takes {step:.3g} s here")
    return cut, told


def cut_to_time(config: Any, seconds: float, *, first: float, step: float) -> Any:
    """A configuration whose training takes so long, and not longer than it took.

    Args:
        config: the configuration.
        seconds: for the whole training; a fifth of them for evaluations.
        first: seconds until the first steps are done.
        step: seconds of each other step.
    """
    training = config.training
    steps = max(min(training.steps, int((0.8 * seconds - first) / step)), EVALUATIONS[1])
    least, most = EVALUATIONS
    often = min(max(training.steps // training.evaluate_every, least), most)
    every = max(steps // often, 1)
    changes = {
        "training.steps": every * often,
        "training.evaluate_every": every,
        "training.warmup_steps": min(training.warmup_steps, int(WARMUP * every * often)),
    }
    return assemble(type(config), {**flatten(config), **changes})
