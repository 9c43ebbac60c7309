"""Requests that share a run get what they would have got alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnapps.export.batching_settings import BatchingSettings
from rnnapps.serving.batcher import Batcher
from rnnapps.serving.pieces import cut, gather, join, length_class, parts_of
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_signature import ServedSignature, TensorKind, Width
from rnnapps.types import Arrays

FLOATS, INTEGERS, STRINGS = np.dtype(np.float32), np.dtype(np.int32), np.dtype(object)
INPUTS = {"values": TensorKind(FLOATS, (None, None)), "lengths": TensorKind(INTEGERS, (None,))}
SUMS = ServedSignature("sums", INPUTS, {"sum": TensorKind(FLOATS, (None,))})
TOTALS = ServedSignature(
    "totals", INPUTS, {"total": TensorKind(FLOATS, (None, None))}, (Width("total", 1, "follows", "inputs/values"),)
)
WORDS = ServedSignature(
    "words",
    {"text": TensorKind(STRINGS, (None,))},
    {"words": TensorKind(STRINGS, (None, None)), "counts": TensorKind(INTEGERS, (None,))},
    (Width("words", 1, "counted", "outputs/counts"),),
)
UNKNOWN = ServedSignature("unknown", INPUTS, TOTALS.outputs, (Width("total", 1, "unknown"),))


def items(*lengths: int, size: int | None = None) -> Arrays:
    """Rows of ones, and 9 behind their ends."""
    values = np.full((len(lengths), size or max(lengths)), 9, np.float32)
    for row, length in zip(values, lengths, strict=True):
        row[:length] = 1
    return {"values": values, "lengths": np.array(lengths, np.int32)}


def run(signature: str, inputs: Arrays) -> Arrays:
    """What the three models would answer."""
    if signature == "words":
        words = [text.split() for text in inputs["text"].tolist()]
        result = np.full((len(words), max(map(len, words))), b"", dtype=object)
        for row, found in zip(result, words, strict=True):
            row[: len(found)] = found
        return {"words": result, "counts": np.array([len(found) for found in words], np.int32)}
    mask = np.arange(inputs["values"].shape[1]) < inputs["lengths"][:, None]
    masked = np.where(mask, inputs["values"], 0)
    return {"sum": masked.sum(1)} if signature == "sums" else {"total": masked.cumsum(1)}


def strings(*values: str) -> Arrays:
    array = np.empty(len(values), dtype=object)
    array[:] = [value.encode() for value in values]
    return {"text": array}


Ask = Callable[[Batcher], Any]


def batched(settings: BatchingSettings, *requests: tuple[ServedSignature, Arrays]) -> tuple[list[Any], list[Arrays]]:
    """Answers to requests that come at the same time, and the batches that ran."""
    ran: list[Arrays] = []

    async def recorded(signature: str, inputs: Arrays) -> Arrays:
        ran.append(inputs)
        await asyncio.sleep(0.005)
        return run(signature, inputs)

    async def ask_all() -> list[Any]:
        batcher = Batcher(recorded, settings, lambda rows: None)
        return await asyncio.gather(*(batcher.ask(*request) for request in requests), return_exceptions=True)

    return asyncio.run(ask_all()), ran


SETTINGS = BatchingSettings(max_batch_size=8, batch_timeout_micros=10**6, max_enqueued_batches=100, num_batch_threads=4)


@pytest.mark.parametrize("signature", [SUMS, TOTALS, UNKNOWN], ids=lambda signature: signature.name)
def test_answers_are_those_of_requests_that_come_alone(signature: ServedSignature) -> None:
    requests = [items(3), items(5, 2), items(4, size=7), items(1), items(6, 6)]
    answers, _ = batched(SETTINGS, *((signature, request) for request in requests))
    for request, answer in zip(requests, answers, strict=True):
        expected = run(signature.name, request)
        assert {name: array.tolist() for name, array in answer.items()} == {
            name: array.tolist() for name, array in expected.items()
        }


def test_widths_are_those_of_the_own_rows() -> None:
    answers, ran = batched(SETTINGS, (WORDS, strings("a")), (WORDS, strings("b c d", "e")), (WORDS, strings("f g")))
    assert len(ran) == 1
    assert [answer["words"].tolist() for answer in answers] == [
        [[b"a"]],
        [[b"b", b"c", b"d"], [b"e", b"", b""]],
        [[b"f", b"g"]],
    ]


async def settled() -> None:
    """Lets everything that can happen now happen."""
    for _ in range(50):
        await asyncio.sleep(0)


def rows_of_runs(settings: BatchingSettings, *groups: int) -> list[int]:
    """Rows of each run, where so many requests of one row come together, each group while the runs before it last."""
    ran: list[int] = []

    async def ask_all() -> None:
        ends = asyncio.Event()

        async def slow(signature: str, inputs: Arrays) -> Arrays:
            ran.append(len(inputs["lengths"]))
            await ends.wait()
            return run(signature, inputs)

        batcher, asked = Batcher(slow, settings), []
        for group in groups:
            asked += [asyncio.create_task(batcher.ask(SUMS, items(2))) for _ in range(group)]
            await settled()
        ends.set()
        await asyncio.gather(*asked)

    asyncio.run(ask_all())
    return ran


def test_what_comes_at_once_leaves_at_once_and_together() -> None:
    _, ran = batched(SETTINGS, *((SUMS, items(2)) for _ in range(7)))
    assert [len(inputs["lengths"]) for inputs in ran] == [7]


def test_the_first_leaves_at_once_and_the_others_gather() -> None:
    assert rows_of_runs(SETTINGS, 1, 1, 2, 1) == [1, 4]


def test_a_full_batch_waits_for_nothing() -> None:
    _, ran = batched(SETTINGS, *((SUMS, items(2)) for _ in range(9)))
    assert [len(inputs["lengths"]) for inputs in ran] == [8, 1]


def test_no_more_run_at_a_time_than_there_are_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = BatchingSettings(max_batch_size=8, batch_timeout_micros=0, num_batch_threads=4)
    monkeypatch.setattr("rnnapps.serving.batcher.processors", lambda: 2)
    assert rows_of_runs(impatient, 1, 1, 1, 1, 1) == [1, 1, 3]
    monkeypatch.setattr("rnnapps.serving.batcher.processors", lambda: 8)
    assert rows_of_runs(impatient, 1, 1, 1, 1, 1) == [1, 1, 1, 1, 1]


def test_without_batching_each_request_runs_as_it_came() -> None:
    ran: list[int] = []

    async def ask_all() -> list[Arrays]:
        async def recorded(signature: str, inputs: Arrays) -> Arrays:
            ran.append(len(inputs["lengths"]))
            await asyncio.sleep(0.001)
            return run(signature, inputs)

        batcher = Batcher(recorded, replace(SETTINGS, num_batch_threads=1), together=False)
        return await asyncio.gather(*(batcher.ask(SUMS, items(*[2] * rows)) for rows in (1, 20, 1, 1)))

    answers = asyncio.run(ask_all())
    assert ran == [1, 20, 1, 1]
    assert [answer["sum"].tolist() for answer in answers] == [[2.0] * rows for rows in ran]


def test_a_stop_waits_for_what_has_not_left_yet() -> None:
    async def stop() -> Arrays:
        async def recorded(signature: str, inputs: Arrays) -> Arrays:
            return run(signature, inputs)

        batcher = Batcher(recorded, SETTINGS)
        asked = asyncio.create_task(batcher.ask(SUMS, items(2)))
        while not batcher.waiting_rows:
            await asyncio.sleep(0)
        await batcher.drain()
        assert batcher.waiting_rows == 0
        return await asked

    assert asyncio.run(stop())["sum"].tolist() == [2.0]


def test_a_large_request_is_cut_into_batches() -> None:
    request = items(*range(1, 21), size=30)
    (answer,), ran = batched(SETTINGS, (SUMS, request))
    assert answer["sum"].tolist() == list(range(1, 21))
    assert max(len(inputs["lengths"]) for inputs in ran) <= 8
    assert sum(len(inputs["lengths"]) for inputs in ran) == 20


def test_a_long_row_runs_apart_from_short_ones_that_lose_their_padding() -> None:
    (answer,), ran = batched(SETTINGS, (SUMS, items(10, 2000, 10, 10)))
    assert answer["sum"].tolist() == [10, 2000, 10, 10]
    assert sorted(inputs["values"].shape for inputs in ran) == [(1, 2000), (3, 10)]


def test_a_row_that_wants_much_runs_apart() -> None:
    signature = ServedSignature("sums", {**INPUTS, "steps": TensorKind(INTEGERS, (None,))}, SUMS.outputs)
    request = {**items(2, 2, 2), "steps": np.array([5, 1000, 7], np.int32)}
    assert [piece.rows.tolist() for piece in cut(signature, request, 8)] == [[0, 2], [1]]


def test_a_count_beyond_the_end_of_a_row_is_not_hidden_by_padding() -> None:
    wrong, right = items(2), items(9)
    wrong["lengths"] = np.array([4], np.int32)
    keys = [cut(SUMS, request, 8)[0].key for request in (wrong, right, items(3))]
    assert keys[0] not in keys[1:]
    assert keys[1] == keys[2]


def test_a_batch_is_filled_up_to_an_allowed_size() -> None:
    settings = BatchingSettings(8, 10**6, 100, 1, allowed_batch_sizes=(4, 8))
    answers, ran = batched(settings, *((SUMS, items(length)) for length in (1, 2, 3)))
    assert [len(inputs["lengths"]) for inputs in ran] == [4]
    assert [answer["sum"].tolist() for answer in answers] == [[1], [2], [3]]
    _, ran = batched(settings, *((SUMS, items(1)) for _ in range(5)))
    assert [len(inputs["lengths"]) for inputs in ran] == [8]


def test_what_would_wait_too_long_is_refused() -> None:
    settings = BatchingSettings(2, 10**6, max_enqueued_batches=2, num_batch_threads=1)
    answers, _ = batched(settings, *((SUMS, items(1)) for _ in range(9)))
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(refused) == 3  # two run, four wait
    assert {(answer.code, answer.retry_seconds) for answer in refused} == {(Code.RESOURCE_EXHAUSTED, 1)}


def test_a_request_that_breaks_its_batch_breaks_no_other() -> None:
    async def picky(signature: str, inputs: Arrays) -> Arrays:
        await asyncio.sleep(0.001)
        if (inputs["lengths"] == 13).any():
            raise Refusal(Code.INVALID_ARGUMENT, "thirteen")
        return run(signature, inputs)

    async def ask_all() -> list[Any]:
        batcher = Batcher(picky, SETTINGS, lambda rows: None)
        requests = [items(1), items(2), items(13), items(3)]
        return await asyncio.gather(*(batcher.ask(SUMS, request) for request in requests), return_exceptions=True)

    first, second, third, fourth = asyncio.run(ask_all())
    assert [answer["sum"].tolist() for answer in (first, second, fourth)] == [[1], [2], [3]]
    assert isinstance(third, Refusal)


def test_a_client_that_goes_leaves_the_queue() -> None:
    ran = []

    async def leave() -> int:
        ends = asyncio.Event()

        async def slow(signature: str, inputs: Arrays) -> Arrays:
            ran.append(len(inputs["lengths"]))
            await ends.wait()
            return run(signature, inputs)

        batcher = Batcher(slow, BatchingSettings(8, 10**6, 100, 1), lambda rows: None)
        first = asyncio.create_task(batcher.ask(SUMS, items(1)))
        await settled()
        second = asyncio.create_task(batcher.ask(SUMS, items(1)))
        await settled()
        assert batcher.waiting_rows == 1
        second.cancel()
        ends.set()
        await first
        await batcher.drain()
        return batcher.waiting_rows

    assert asyncio.run(leave()) == 0
    assert ran == [1]


def test_joining_is_the_inverse_of_cutting() -> None:
    request = items(30, 2, 60, 1, 2, size=70)
    pieces = cut(SUMS, request, 2)
    answers = [parts_of(SUMS, [piece], run("sums", gather([piece])))[0] for piece in pieces]
    assert join(pieces, answers)["sum"].tolist() == [30, 2, 60, 1, 2]


def test_classes_reach_twice_as_far_each_time() -> None:
    sizes = np.array([-5, 0, 1, 16, 17, 32, 33, 64, 65])
    assert length_class(sizes, 16).tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 3]
