"""A fork server that has TensorFlow imported already: each test process starts in no time, yet is one of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext

import pytest

from tests.training.kill import Forked


@pytest.fixture(scope="session")
def fork() -> Iterator[Callable[..., Forked]]:
    context: ForkServerContext = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.tiny"])
    yield lambda function, *arguments: Forked(context.Process(target=function, args=arguments))
