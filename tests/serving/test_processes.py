"""Processes of models: confined, ended, started again; versions that come and go under load."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from rnnapps.zoo import catalogue
from tests.serving.conftest import Running, Start
from tests.serving.test_grpc import request

SUM = {"signature_name": "sums", "instances": [{"values": [1.0, 2.0], "lengths": 2}]}
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@pytest.fixture
def copied(models: Path, tmp_path: Path) -> Path:
    shutil.copytree(models, tmp_path / "models")
    return tmp_path / "models"


def until(condition: Callable[[], bool], seconds: float = 30) -> float:
    """Waits; returns for how long."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.01)
    return time.monotonic() - begun


def statuses_while(running: Running, event: Callable[[], None], seconds: float) -> list[tuple[int, object]]:
    """What four clients get that ask on and on, before, during and after an event."""
    found, stop = [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            found.append(running.predict("toy", SUM))

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    time.sleep(0.3)
    event()
    time.sleep(seconds)
    stop.set()
    for client in clients:
        client.join()
    return found


def test_a_killed_process_costs_clean_errors_and_is_back_soon(
    copied: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    running = start(copied)
    version = running.registry.find("toy")
    load_seconds = version._process.ready.seconds
    died = []

    def kill() -> None:
        os.kill(version.pid, signal.SIGKILL)
        until(lambda: version.state == "LOADING")
        died.append(until(lambda: version.state == "AVAILABLE"))

    with caplog.at_level("ERROR", "rnnapps.serving"):
        found = statuses_while(running, kill, 0.3)
    assert [record.__dict__["reason"] for record in caplog.records] == ["its process was ended by SIGKILL"]
    good = (200, {"predictions": [{"problem": "", "sum": 3.0}]})
    others = [answer for answer in found if answer != good]
    assert others
    assert {status for status, _ in others} == {503}
    assert all("error" in body for _, body in others)  # type: ignore[operator]
    assert found[-1] == good
    assert died[0] < 5 + load_seconds
    page = running.request("GET", "/monitoring/prometheus/metrics")[1]
    assert 'rnnapps_process_deaths_total{model_name="toy"} 1.0' in page


def test_a_new_version_takes_over_without_an_error(copied: Path, start: Start) -> None:
    running = start(copied, poll_seconds=0.05)

    def publish() -> None:
        shutil.copytree(copied / "toy" / "1", copied / "incoming")
        (copied / "incoming").rename(copied / "toy" / "2")
        until(lambda: running.registry.find("toy").place.number == 2)

    found = statuses_while(running, publish, 0.5)
    assert {status for status, _ in found} == {200}
    until(lambda: len(running.registry.status("toy")) == 1)
    old = running.request("GET", "/v1/models/toy/versions/1")
    assert old[0] == 404


def test_a_damaged_version_is_refused_while_the_old_one_answers(
    copied: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    running = start(copied)
    shutil.copytree(copied / "toy" / "1", copied / "toy" / "2")
    graph = copied / "toy" / "2" / "saved_model.pb"
    graph.write_bytes(graph.read_bytes().replace(b"StringUpper", b"StringLower"))
    with caplog.at_level("ERROR", "rnnapps.serving"):
        running.call(running.registry.poll())
    assert len([record for record in caplog.records if record.message == "refused"]) == 1
    assert running.predict("toy", SUM)[0] == 200
    entries = running.request("GET", "/v1/models/toy")[1]["model_version_status"]
    assert [(entry["version"], entry["state"]) for entry in entries] == [("2", "END"), ("1", "AVAILABLE")]
    assert entries[0]["status"]["error_message"]


def test_the_command_serves_all_models_of_the_package_for_a_minute_of_processor_time_at_most() -> None:
    command = [sys.executable, "-m", "rnnapps", "serve", "--demo", "--port", "0", "--grpc_port", "-1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        with process.stdout as output:
            pages, line = output.readline(), output.readline()
        assert re.fullmatch(r"playground: http://127\.0\.0\.1:\d+/ui/\n", pages)
        assert sorted(catalogue()) == sorted(re.findall(r"\w+", line.partition(" on ")[0].removeprefix("serving ")))
        process.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        # With that of the models. By the clock it is half of it on two idle processors, and anything on busy ones.
        assert usage.ru_utime + usage.ru_stime < 60
    finally:
        process.kill()


def test_memory_of_a_process_is_limited(copied: Path, start: Start) -> None:
    running = start(copied, memory_mib=600)
    size = 40 << 20
    inputs = {"values": np.zeros((8, size // 32), np.float32), "lengths": np.full(8, size // 32, np.int32)}
    with grpc.insecure_channel(f"127.0.0.1:{running.server.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Predict(request("running", inputs))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    until(lambda: running.predict("toy", SUM)[0] == 200)


def test_a_run_that_never_ends_is_ended(copied: Path, start: Start) -> None:
    running = start(copied, request_seconds=1.0)
    version = running.registry.find("toy")
    os.kill(version.pid, signal.SIGSTOP)
    status, body = running.predict("toy", SUM)
    assert status == 504
    assert "took longer than 1 s" in body["error"]
    until(lambda: running.predict("toy", SUM)[0] == 200)


def test_what_runs_is_answered_when_the_server_stops(copied: Path, start: Start) -> None:
    running = start(copied)
    pid, found = running.registry.find("toy").pid, []
    os.kill(pid, signal.SIGSTOP)
    client = threading.Thread(target=lambda: found.append(running.predict("toy", SUM)))
    client.start()
    time.sleep(0.3)
    stopping = asyncio.run_coroutine_threadsafe(running.server.stop(), running.loop)
    time.sleep(0.3)
    assert not stopping.done()
    with pytest.raises(OSError):  # nobody listens any more
        running.predict("toy", SUM)
    os.kill(pid, signal.SIGCONT)
    stopping.result(30)
    client.join()
    assert found == [(200, {"predictions": [{"problem": "", "sum": 3.0}]})]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
