"""Mutated files differ from the whole one, and are the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.mutations import MUTATIONS

TABLE = b"time,east\n" + b"".join(b"2024-01-%02d,%d.5\n" % (day, 10 * day) for day in range(1, 29))


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("content", [TABLE, bytes(range(256)) * 8], ids=["table", "bytes"])
def test_a_mutation_changes_the_file_and_can_be_repeated(name: str, content: bytes) -> None:
    made = [[MUTATIONS[name](np.random.default_rng(seed), content) for seed in range(20)] for _ in range(2)]
    assert made[0] == made[1]
    assert sum(copy != content for copy in made[0]) >= 10
    assert len(set(made[0])) >= 5


@pytest.mark.parametrize("name", MUTATIONS)
def test_an_empty_file_can_be_mutated(name: str) -> None:
    for seed in range(20):
        assert type(MUTATIONS[name](np.random.default_rng(seed), b"")) is bytes
