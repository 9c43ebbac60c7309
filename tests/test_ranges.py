from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import RecurrentConfig, TrainingConfig
from rnnapps.ranges import Choices, Range, chosen, range_of, searched


@dataclass(frozen=True)
class Parent:
    size: int = searched(16, 2, 256, logarithmic=True, factor=2)
    kind: str = chosen("a", "a", "b")
    other: int = 3


@dataclass(frozen=True)
class Child(Parent):
    size: int = 64
    other: int = searched(3, 1, 9)


def test_a_field_says_what_may_be_tried_and_keeps_its_default() -> None:
    assert Parent() == Parent(16, "a", 3)
    assert range_of(Parent, "size") == Range(2, 256, logarithmic=True, factor=2)
    assert range_of(Parent, "kind") == Choices(("a", "b"))
    assert range_of(Parent, "other") is None


def test_a_class_that_gives_another_default_keeps_the_range() -> None:
    assert Child().size == 64
    assert range_of(Child, "size") == range_of(Parent, "size")
    assert range_of(Child, "other") == Range(1, 9)
    assert range_of(Child, "kind") == Choices(("a", "b"))


def test_a_range_is_looked_at_around_a_value() -> None:
    size = range_of(Parent, "size")
    assert isinstance(size, Range)
    assert size.around(16) == Range(8, 32, logarithmic=True)
    assert size.around(3) == Range(2, 6, logarithmic=True)  # 1.5 is below the least, and no whole number
    assert size.around(1000) == Range(500, 1000, logarithmic=True)  # a value always belongs to it
    assert Range(1e-4, 1.0, logarithmic=True, factor=3).around(0.01) == Range(0.00333333, 0.03, logarithmic=True)
    assert Range(0.05, 20.0, logarithmic=True, factor=5).around(0.0) == Range(0.0, 20.0)  # ratios say nothing of 0


def test_what_every_pipeline_shares_has_ranges() -> None:
    assert range_of(RecurrentConfig, "units") == Range(8, 4096, logarithmic=True, factor=2)
    assert range_of(TrainingConfig, "learning_rate") == Range(1e-5, 0.3, logarithmic=True, factor=5)
    assert range_of(TrainingConfig, "batch_size") is None  # as many steps of larger batches are more training
