"""The walk itself notices what is read and ignored, and what is refused with another line than it should be."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from rnnapps.tasks.translation.pipeline import PIPELINE
from rnnapps.verbs.settings import setting_types
from tests.tasks.effects import REFUSED
from tests.tasks.walk import ELSEWHERE, Change, check_option, check_setting, walked_options, walked_settings


class Outcomes:
    """In place of `Effects`: what a pipeline gives that reads `model.units` and `n_best` alone.

    Args:
        settings: dotted key -> value.
    """

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        self.settings = dict(settings or {})
        self.subject = SimpleNamespace(pipeline=PIPELINE, config=PIPELINE.config_class(), options={})

    def with_settings(self, settings: Mapping[str, Any]) -> Outcomes:
        return Outcomes({**self.settings, **settings})

    def outcome(self, stage: str) -> str:
        if self.settings.get("model.layers", 1) > 1:
            return f"{REFUSED}model.layers must be 1"
        if self.settings.get("data.reverse"):
            return f"{REFUSED}something is wrong"
        return f"{self.settings.get('model.units')}"

    def tried(self, verb: str, options: Mapping[str, Any]) -> str:
        return f"{options.get('n_best')}"

    def close(self) -> None:
        pass


def test_what_shows_or_is_refused_by_name_passes() -> None:
    check_setting(Outcomes(), "model.units", {})  # type: ignore[arg-type]
    check_setting(Outcomes(), "model.layers", {})  # type: ignore[arg-type]
    check_option(Outcomes(), "predict", "n_best", {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "changes", "complaint"),
    [
        ("model.dropout", {}, r"model.dropout \[0.1\] changes nothing"),
        ("data.test", {}, "data.test: no other value is known; name one"),
        ("data.reverse", {}, "data.reverse True: refused: something is wrong"),
        (
            "model.units",
            {"model.units": Change(3, {"model.layers": 2})},
            "model.units 3: refused: model.layers must be 1",
        ),
    ],
)
def test_what_is_ignored_or_refused_with_another_line_fails(
    key: str, changes: dict[str, Change], complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_setting(Outcomes(), key, changes)  # type: ignore[arg-type]


def test_an_option_that_is_ignored_fails() -> None:
    with pytest.raises(AssertionError, match="sentence"):
        check_option(Outcomes(), "predict", "sentence", {"sentence": Change("a")})  # type: ignore[arg-type]


def test_every_setting_is_walked_as_one_or_as_an_option() -> None:
    options = {name for _, name in walked_options(PIPELINE)}
    assert {*walked_settings(PIPELINE), *options, *ELSEWHERE} >= set(setting_types(PIPELINE.config_class))
    assert {("evaluate", "tune"), ("predict", "n_best"), ("stream", "decoding.beam_width")} <= set(
        walked_options(PIPELINE)
    )
