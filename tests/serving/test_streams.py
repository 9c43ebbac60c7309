"""Streams over WebSockets and gRPC give what one call over the whole sequence gives."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from rnnapps.serving.grpc_streams import SESSION_HEADER, STREAM_METHOD
from rnnapps.serving.refusal import Refusal
from rnnapps.serving.snapshots import Snapshot, read_snapshot, snapshot_bytes
from tests.serving.conftest import Running, Start

VALUES = np.random.default_rng(0).normal(size=9).astype(np.float32)
WHOLE = np.cumsum(VALUES)


@contextmanager
def stream(running: Running, query: str = "", model: str = "toy", **options: Any) -> Iterator[ClientConnection]:
    uri = f"ws://127.0.0.1:{running.server.port}/v1/models/{model}:stream?{query}"
    with connect(uri, open_timeout=30, compression=None, **options) as socket:
        yield socket


def ask(socket: ClientConnection, message: Any) -> Any:
    socket.send(json.dumps(message))
    return json.loads(socket.recv(30))


def totals(socket: ClientConnection, values: np.ndarray[Any, Any]) -> list[float]:
    return ask(socket, {"inputs": {"values": values.tolist()}})["outputs"]["total"]  # type: ignore[no-any-return]


def test_chunks_of_any_size_give_the_whole(running: Running) -> None:
    with stream(running) as socket:
        opened = json.loads(socket.recv(30))
        assert (opened["model"], opened["version"], opened["signature_name"]) == ("toy", 1, "step")
        assert opened["inputs"] == {"values": "float32 [?, ?]", "lengths": "int32 [?]"}
        parts = [totals(socket, part) for part in np.split(VALUES, [1, 2, 5])]
    np.testing.assert_allclose(np.concatenate(parts), WHOLE, rtol=1e-5, atol=1e-6)


def test_what_counts_of_a_chunk_may_be_said(running: Running) -> None:
    with stream(running) as socket:
        socket.recv(30)
        ask(socket, {"inputs": {"values": [1.0, 99.0], "lengths": 1}})
        assert totals(socket, np.array([2.0])) == [3.0]


def test_a_session_goes_on_where_its_client_left(running: Running) -> None:
    with stream(running, "session=mine") as socket:
        socket.recv(30)
        totals(socket, VALUES[:4])
        with stream(running, "session=mine") as other:
            assert "another client is in it" in json.loads(other.recv(30))["error"]
    with stream(running, "session=mine") as socket:
        assert json.loads(socket.recv(30))["steps"] == 1
        assert totals(socket, VALUES[4:])[-1] == pytest.approx(float(WHOLE[-1]), abs=1e-5)
        assert ask(socket, {"reset": True}) == {"reset": True, "steps": 0}
        assert totals(socket, np.array([5.0])) == [5.0]


def test_a_snapshot_goes_into_a_file_and_back(running: Running, tmp_path: Path) -> None:
    with stream(running) as socket:
        socket.recv(30)
        totals(socket, VALUES[:3])
        (tmp_path / "mine").write_text(ask(socket, {"snapshot": True})["snapshot"])
        rest = totals(socket, VALUES[3:])
    with stream(running) as socket:
        socket.recv(30)
        assert ask(socket, {"restore": (tmp_path / "mine").read_text()}) == {"restored": True, "steps": 1}
        assert totals(socket, VALUES[3:]) == rest


def test_a_row_with_a_problem_leaves_the_states_as_they_were(running: Running) -> None:
    with stream(running) as socket:
        socket.recv(30)
        totals(socket, np.array([1.0]))
        socket.send('{"inputs": {"values": [NaN]}}')
        answer = json.loads(socket.recv(30))
        assert answer["outputs"]["problem"] != ""
        assert answer["steps"] == 1
        assert totals(socket, np.array([2.0])) == [3.0]


def test_states_of_no_fixed_size_begin_with_another_signature(running: Running) -> None:
    with stream(running, "signature_name=recall") as socket:
        assert json.loads(socket.recv(30))["begins"] == "memorise"
        assert "begin with an answer of 'memorise'" in ask(socket, {"inputs": {}})["error"]
        assert ask(socket, {"begin": {"values": [1.0, 2.0, 4.0]}})["outputs"] == {"problem": ""}
        assert ask(socket, {"inputs": {}})["outputs"]["sum"] == 14.0  # the factor is 2 where none is said
        assert ask(socket, {"inputs": {"factor": 10.0}})["outputs"]["sum"] == 70.0
        ask(socket, {"begin": {"values": [3.0]}})
        assert ask(socket, {"inputs": {}})["outputs"]["sum"] == 6.0
    with stream(running) as socket:
        socket.recv(30)
        assert "begin as zeros" in ask(socket, {"begin": {"values": [1.0]}})["error"]


def other_model() -> str:
    return base64.b64encode(snapshot_bytes(Snapshot("other", 1, "step", 3, {}))).decode()


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ([1], "Is not object"),
        ({}, "expected"),
        ({"inputs": {"values": [1.0]}, "snapshot": True}, "expected"),
        ({"inputs": {"values": ["a"]}}, "expected type: float32"),
        ({"inputs": {"other": [1.0]}}, "['lengths', 'values'] expected"),
        ({"inputs": {"values": [1.0], "state_sum": [0, 0, 0]}}, "['lengths', 'values'] expected"),
        ({"inputs": {}}, "inputs ['state_sum'] found"),
        ({"restore": "!"}, "base64"),
        ({"restore": "AAAA"}, "not a snapshot"),
        ({"restore": other_model()}, "a snapshot of other/1 'step' found, of toy/1 'step' expected"),
    ],
)
def test_a_wrong_message_is_told_and_the_stream_goes_on(running: Running, message: Any, told: str) -> None:
    with stream(running) as socket:
        socket.recv(30)
        answer = ask(socket, message)
        assert told in answer["error"]
        assert answer["code"] == "INVALID_ARGUMENT"
        assert totals(socket, np.array([2.0])) == [2.0]


@pytest.mark.parametrize(
    ("query", "model", "told"),
    [
        ("", "none", "Servable not found"),
        ("signature_name=none", "toy", "not found in signature def"),
        ("signature_name=sums", "toy", "carries no states"),
        ("session=../mine", "toy", "1 to 64 letters"),
    ],
)
def test_a_stream_that_cannot_begin_says_why(running: Running, query: str, model: str, told: str) -> None:
    with stream(running, query, model) as socket:
        assert told in json.loads(socket.recv(30))["error"]
        with pytest.raises(ConnectionClosed):
            socket.recv(30)


def test_pages_of_other_sites_get_no_stream(running: Running) -> None:
    with pytest.raises(InvalidStatus), stream(running, origin="https://elsewhere.example"):
        pass
    with stream(running, origin=f"http://127.0.0.1:{running.server.port}") as socket:
        socket.recv(30)


def request(values: Any, **others: Any) -> predict_pb2.PredictRequest:
    result = predict_pb2.PredictRequest()
    result.model_spec.name = "toy"
    for name, value in {"values": np.asarray([values], np.float32), **others}.items():
        result.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return result


def call(channel: grpc.Channel, requests: Any, **metadata: str) -> Any:
    method = channel.stream_stream(
        STREAM_METHOD, predict_pb2.PredictRequest.SerializeToString, predict_pb2.PredictResponse.FromString
    )
    return method(iter(requests), metadata=tuple((name.replace("_", "-"), value) for name, value in metadata.items()))


def test_grpc_streams_are_the_same(running: Running) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{running.server.grpc_port}") as channel:
        answers = call(channel, [request(part) for part in np.split(VALUES, [2, 3])], rnnapps_session="grpc")
        parts = [list(answer.outputs["total"].float_val) for answer in answers]
        np.testing.assert_allclose(np.concatenate(parts), WHOLE, rtol=1e-5, atol=1e-6)
        assert dict(answers.initial_metadata())[SESSION_HEADER] == "grpc"
        wanted = request([1.0])
        wanted.output_filter.append("next_state_sum")
        (answer,) = call(channel, [wanted], rnnapps_session="grpc")
        state = tf.make_ndarray(answer.outputs["next_state_sum"])
        assert state.shape == (1, 3)
        (again,) = call(channel, [request([1.0], state_sum=state)])  # a new session that begins with these states
        assert again.outputs["total"].float_val[0] == pytest.approx(float(state[0, 0]) + 1)


def test_grpc_streams_end_with_a_code(running: Running) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{running.server.grpc_port}") as channel:
        with pytest.raises(grpc.RpcError) as caught:
            list(call(channel, [request([[1.0]])]))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_session_keeps_one_row_however_long_it_lasts(running: Running) -> None:
    with stream(running, "session=long") as socket:
        socket.recv(30)
        for _ in range(50):
            totals(socket, VALUES)
    session = running.server.sessions._sessions["toy", "long"]
    assert {name: (array.shape, array.base) for name, array in session.states.items()} == {"state_sum": ((1, 3), None)}


def test_idle_sessions_go_into_files_and_come_back(running: Running, tmp_path: Path) -> None:
    from rnnapps.serving.options import ServeOptions
    from rnnapps.serving.service import Service
    from rnnapps.serving.sessions import Sessions

    options = ServeOptions(streams=1, stream_seconds=0.001, sessions=str(tmp_path))
    service = Service(running.registry, options, running.server.service.metrics)

    async def leave_and_come_back() -> None:
        sessions = Sessions(service)
        from rnnapps.serving.service import Target

        session = sessions.open(Target("toy"), "step", "idle")
        with pytest.raises(Refusal, match="1 sessions are open already"):
            sessions.open(Target("toy"), "step", "")
        session.states = {"state_sum": np.full((1, 3), 7, np.float32)}
        session.steps = 4
        sessions.drop_idle()
        assert len(sessions) == 1  # its client is there
        sessions.leave(session)
        await asyncio.sleep(0.01)
        sessions.drop_idle()
        assert len(sessions) == 0
        again = sessions.open(Target("toy"), "step", "idle")
        assert (again.steps, again.states["state_sum"].tolist()) == (4, [[7.0, 7.0, 7.0]])
        (file,) = tmp_path.iterdir()
        assert file.name == "toy@idle.session"
        sessions.leave(again)
        sessions._sessions.clear()
        file.write_bytes(b"damaged")
        with pytest.raises(Refusal, match="not a snapshot"):
            sessions.open(Target("toy"), "step", "idle")

    asyncio.run(leave_and_come_back())


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 8, b"\x00" * 8 + b"\xff" * 90, snapshot_bytes(Snapshot("", 1, "", 1, {}))[:-3]]
)
def test_bytes_that_are_no_snapshot_are_refused(content: bytes) -> None:
    with pytest.raises(Refusal):
        read_snapshot(content)


@pytest.mark.slow
def test_open_streams_do_not_hold_the_server_up_and_are_kept(models: Path, start: Start, tmp_path: Path) -> None:
    running = start(models, sessions=str(tmp_path), stop_seconds=20.0)
    with (
        grpc.insecure_channel(f"127.0.0.1:{running.server.grpc_port}") as channel,
        stream(running, "session=one") as socket,
    ):
        socket.recv(30)
        totals(socket, VALUES)
        waiting: Any = iter(lambda: request([1.0]), None)
        answers = call(channel, waiting, rnnapps_session="two")
        next(answers)
        begun = asyncio.run(_timed(running))
        assert begun < 5
        with pytest.raises(grpc.RpcError) as caught:
            for _ in answers:
                pass
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy@one.session", "toy@two.session"]


async def _timed(running: Running) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.to_thread(running.call, running.server.stop())
    return loop.time() - begun
