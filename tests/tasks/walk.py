"""One walk for all tasks: every setting and every option of a verb changes something, or is refused by its name."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pytest

from rnnapps.contract.pipeline import Pipeline
from rnnapps.verbs import settings
from rnnapps.verbs.configure import applied_groups, option_names, options_of_others
from tests.tasks.effects import REFUSED, STAGES, Effects

__all__ = [
    "Change",
    "Changes",
    "check_option",
    "check_repeats",
    "check_setting",
    "walked_options",
    "walked_settings",
    "walks",
]

AnyPipeline = Pipeline[Any, Any, Any]
Test = Callable[..., None]

ELSEWHERE = {
    "data.bad_limit": "tests/tasks/test_bad_sources.py: needs damaged examples",
    "data.on_bad": "tests/tasks/test_bad_sources.py: needs damaged examples",
    "data.cache_megabytes": "tests/data/stored/test_entries.py: room on disk, not what is read",
    "data.memory_megabytes": "tests of large data of each task: where data are kept, not what they are",
    "export.warmup_requests": "tests/verbs/test_model.py: needs a whole export",
    "training.average_states": "tests/verbs/test_finishing.py: works after the last update",
    "training.averaged": "tests/verbs/test_finishing.py: works after the last update",
    "training.refit": "tests/verbs/test_finishing.py: works after the last update",
    "training.compile": "tests/training: how a step runs, not what it gives",
    "training.strategy": "tests/training/test_workers.py: needs several processes",
    "training.track": "tests/training/test_trackers.py: needs further packages",
    "training.patience": "tests/training/test_loop.py: needs evaluations without improvement",
}
"""Settings of all pipelines that are shown to work where their effect is at home."""

LOOP = {
    "training.steps": 6,
    "training.evaluate_every": 4,
    "training.clip_norm": 0.001,
    "training.average_decay": 0.5,
    "training.optimizer": "sgd",
    "training.precision": "mixed_bfloat16",
    "training.schedule": "constant",
}
"""Values of what the shared loop reads that show in four updates; tests/training tries all of them."""


@dataclasses.dataclass(frozen=True)
class Change:
    """Another value of a setting or an option that must have an effect.

    Attributes:
        value: the value.
        beside: key -> value: with what it means something, for both sides of the comparison.
    """

    value: Any
    beside: Mapping[str, Any] = dataclasses.field(default_factory=dict)


Changes = Mapping[str, Change]
"""By the key of a setting; or by the name of an option, behind its verb where that matters: `predict series`."""

SHARED: Changes = {
    "model.cell": Change("lstm"),
    "model.residual": Change(True, {"model.layers": 2}),
    "model.locked_dropout": Change(True, {"model.dropout": 0.3}),
    "training.weight_decay": Change(0.1, {"training.optimizer": "adamw"}),
}
"""What all tasks set."""


def walked_settings(pipeline: AnyPipeline, elsewhere: Collection[str] = ()) -> list[str]:
    """The settings to walk: all but those that are shown to work elsewhere, or as options of `evaluate`."""
    options = {name for verb, name in walked_options(pipeline, elsewhere) if verb == "evaluate"}
    keys = settings.setting_types(pipeline.config_class)
    return [key for key in keys if key not in {*ELSEWHERE, *elsewhere, *options}]


def walked_options(pipeline: AnyPipeline, elsewhere: Collection[str] = ()) -> list[tuple[str, str]]:
    """Verb and name of each option to walk: switches of `evaluate`, and settings that verbs take, among them.

    Args:
        pipeline: the application.
        elsewhere: names of settings and options that are shown to work elsewhere; "VERB NAME" for one verb alone, such
            as a setting in which `evaluate` does not show, and which is walked as a setting then.
    """
    named = {verb: _options(pipeline, verb) for verb in ("evaluate", "predict", "stream")}
    pairs = [(verb, name) for verb, names in named.items() for name in names]
    return [(verb, name) for verb, name in pairs if not {name, f"{verb} {name}"} & set(elsewhere)]


def check_setting(base: Effects, key: str, changes: Changes) -> None:
    """Asserts that another value of a setting changes something, or is refused by name.

    Args:
        base: the configuration that is compared with.
        key: the setting.
        changes: what to set; for others a few values are tried that the setting's type suggests.
    """
    change = changes.get(key, SHARED.get(key))
    stages = ("served",) if key.startswith("export.") else STAGES
    kinds = settings.setting_types(base.subject.pipeline.config_class)
    values = [change.value] if change else list(_alternatives(key, kinds[key], settings.flatten(base.subject.config)))
    assert values, f"{key}: no other value is known; name one"
    before = base.with_settings(change.beside) if change and change.beside else base
    try:
        assert any(_setting_shows(before, key, value, stages) for value in values), f"{key} {values} changes nothing"
    finally:
        if before is not base:
            before.close()


def check_option(base: Effects, verb: str, name: str, changes: Changes) -> None:
    """Asserts that another value of an option changes what a verb gives, or is refused by name.

    Args:
        base: the model, with an input.
        verb: evaluate, predict or stream.
        name: the option.
        changes: as in `check_setting`.
    """
    pipeline = base.subject.pipeline
    change = changes.get(f"{verb} {name}", changes.get(name))
    if name in pipeline.evaluation_switches:
        change, name = Change([name], change.beside if change else {}), "switches"
    kinds = {**settings.setting_types(pipeline.config_class), **settings.setting_types(pipeline.predict_class)}
    now = {**settings.flatten(pipeline.predict_class()), **settings.flatten(base.subject.config)}
    now |= base.subject.options
    values = [change.value] if change else list(_alternatives(name, kinds[name], now))
    assert values, f"{verb} {name}: no other value is known; name one"
    beside = dict(change.beside) if change else {}
    before = base.tried(verb, beside)
    shown = (_shows(name, value, before, base.tried(verb, {**beside, name: value})) for value in values)
    assert any(shown), f"{verb}: {name} {values} changes nothing"


def check_repeats(base: Effects) -> None:
    """Asserts that the same settings give the same, which alone makes a difference mean something."""
    again = base.with_settings({})
    try:
        differing = [stage for stage in (*STAGES, "served") if base.outcome(stage) != again.outcome(stage)]
    finally:
        again.close()
    assert not differing, f"{differing} differ from one time to the next"


def _tried(pipeline: AnyPipeline, verb: str) -> frozenset[str]:
    """Groups of settings that a verb takes for what a run has learned already."""
    tried = pipeline.evaluate_tries - {"data"} if verb == "evaluate" else frozenset()
    return applied_groups(pipeline, verb) | tried


def _options(pipeline: AnyPipeline, verb: str) -> list[str]:
    groups = _tried(pipeline, verb)
    keys = [key for key in settings.setting_types(pipeline.config_class) if key.partition(".")[0] in groups]
    if verb == "evaluate":
        return [*pipeline.evaluation_switches, *keys]
    return [*(name for name in option_names(pipeline) if name not in options_of_others(pipeline, verb)), *keys]


def _alternatives(key: str, kind: Any, now: Mapping[str, Any]) -> Iterator[Any]:
    """Other values of a setting, or of an option."""
    value = now[key]
    if key in LOOP:
        yield LOOP[key]
    elif typing.get_origin(kind) is typing.Literal:
        yield from (choice for choice in typing.get_args(kind) if choice != value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float) and key.startswith("export."):
        yield 1
    elif isinstance(value, int):
        yield value + 1
        yield value * 2
    elif isinstance(value, float):
        yield value / 2 if value else 0.1


def _setting_shows(before: Effects, key: str, value: Any, stages: Collection[str]) -> bool:
    after = before.with_settings({key: value})
    try:
        return any(_shows(key, value, before.outcome(stage), after.outcome(stage)) for stage in stages)
    finally:
        after.close()


def _shows(key: str, value: Any, before: str, after: str) -> bool:
    """Whether two outcomes differ, once it is known that a refusal names what it refuses, or what would help."""
    for outcome in {before, after} if before != after else {before}:
        if outcome.startswith(REFUSED):
            assert key in outcome or str(value) in outcome, f"{key} {value}: {outcome}"
    assert not (before.startswith(REFUSED) and after.startswith(REFUSED)), f"{key} {value}: {before}; {after}"
    return before != after


def walks(pipeline: AnyPipeline, elsewhere: Collection[str] = ()) -> tuple[Test, Test, Test]:
    """The slow tests of a task's module, which has fixtures `base` and `changes`: of repeating, settings and options.

    Args:
        pipeline: the application.
        elsewhere: as in `walked_options`.
    """

    def repeats(base: Effects) -> None:
        check_repeats(base)

    def setting(base: Effects, changes: Changes, key: str) -> None:
        check_setting(base, key, changes)

    def option(base: Effects, changes: Changes, verb: str, name: str) -> None:
        check_option(base, verb, name, changes)

    each_setting = pytest.mark.parametrize("key", walked_settings(pipeline, elsewhere))(setting)
    each_option = pytest.mark.parametrize(("verb", "name"), walked_options(pipeline, elsewhere))(option)
    return pytest.mark.slow(repeats), pytest.mark.slow(each_setting), pytest.mark.slow(each_option)
