"""The client, beside the server of this package and beside one that says what a test wants."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.client import Client, ClientOptions, RowsRefused, ServingError
from rnnapps.errors import ConfigError, DataError
from tests.serving.conftest import Running, Start
from tests.serving.scripted import METADATA, Script, run_script

TOKEN = "a-token-of-this-test"
BOTH = pytest.mark.parametrize("kind", ["http", "grpc"])


@pytest.fixture
def scripted() -> Iterator[Script]:
    yield from run_script()


def client_of(running: Running, kind: str = "http", **options: Any) -> Client:
    port = running.server.port if kind.startswith("http") else running.server.grpc_port
    return Client(f"{kind}://127.0.0.1:{port}", "toy", ClientOptions(**options))


@BOTH
def test_text_and_bytes_come_back_as_what_they_are(running: Running, kind: str) -> None:
    with client_of(running, kind) as client:
        answer = client.predict({"text": ["a", b"\xc3\xa4"]})
    assert answer["upper"].tolist() == ["A", "Ä"]
    assert answer["wave_bytes"].tolist() == [b"a\xff", b"\xc3\xa4\xff"]


@BOTH
def test_every_number_comes_back_as_it_went(running: Running, kind: str) -> None:
    given = {"single": [0.1, -3.4e38], "double": [1 / 3, 5e-324], "long": [2**62 + 1, -(2**63)], "short": [-7, 0]}
    with client_of(running, kind) as client:
        answer = client.predict({**given, "small": np.array([255, 0], np.uint8), "truth": [True, False]}, "numbers")
    types = {"single": np.float32, "double": np.float64, "long": np.int64, "short": np.int32}
    for name, values in given.items():
        assert answer[f"{name}_again"].dtype == types[name]
        np.testing.assert_array_equal(answer[f"{name}_again"], np.array(values, types[name]))
    assert answer["small_again"].tolist() == [255, 0] and answer["small_again"].dtype == np.uint8
    assert answer["truth_again"].tolist() == [True, False] and answer["truth_again"].dtype == bool


@BOTH
def test_rows_of_different_lengths_are_padded_and_counted(running: Running, kind: str) -> None:
    with client_of(running, kind) as client:
        assert client.predict({"values": [[1, 2, 3], [], [4.5]]}, "sums")["sum"].tolist() == [6, 0, 4.5]
        whole = client.predict({"values": np.ones((2, 4))}, "sums")
        part = client.predict({"values": np.ones((2, 4)), "lengths": 3}, "sums")
    assert (whole["sum"].tolist(), part["sum"].tolist()) == ([4, 4], [3, 3])


def test_empty_answers_have_all_their_dimensions(running: Running) -> None:
    with client_of(running) as client:
        answer = client.predict({"text": ["", ""]}, "words")
    assert answer["words"].shape == (2, 0)


@BOTH
def test_a_refused_row_is_raised_or_returned(running: Running, kind: str) -> None:
    with client_of(running, kind) as client:
        with pytest.raises(RowsRefused, match=r"^row 1: text must be UTF-8 .*\(1 of 2 rows were refused\)$") as caught:
            client.predict({"text": ["a", b"\xff"]})
        assert caught.value.problems[0] == "" and caught.value.outputs["upper"].tolist() == ["A", ""]
        answer = client.predict({"text": ["a", b"\xff"]}, problems="return")
    assert answer["problem"].tolist() == list(caught.value.problems)


@pytest.mark.parametrize(
    ("signature", "inputs", "told"),
    [
        ("serving_default", {"test": ["a"]}, "has no input 'test'; it has text"),
        ("serving_default", {}, "input 'text' is missing"),
        ("serving_default", {"text": [1]}, "input 'text': int found, str or bytes expected"),
        ("serving_default", {"text": [["a"]]}, r"input 'text': shape \[1, 1\] found, \[1\] expected"),
        ("sums", {"values": [["a"]]}, "input 'values': .* found, float32 expected"),
        ("sums", {"values": [[1e39]]}, r"1e\+39 found, which float32 cannot hold"),
        ("sums", {"values": [[1.0], [2.0]], "lengths": [1]}, r"input 'lengths': shape \[1\] found, \[2\] expected"),
        ("sums", {"values": [[1.0]], "lengths": [1.5]}, "float64 found, int32 expected"),
        ("sums", {"values": [[1.0]], "lengths": [2**40]}, "1099511627776 found, which int32 cannot hold"),
        ("none", {}, "has no signature 'none'; it has"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_sent(
    running: Running, signature: str, inputs: dict[str, Any], told: str
) -> None:
    with client_of(running) as client, pytest.raises(ConfigError, match=told):
        client.predict(inputs, signature)


def test_signatures_are_those_of_the_export_or_of_the_server_or_its_metadata(
    running: Running, models: Path, scripted: Script
) -> None:
    told, read = client_of(running), client_of(running, export=str(models / "toy"))
    assert told.signatures == read.signatures
    assert told.signature("step").inputs["state_sum"].next == "next_state_sum"
    _, metadata, _ = running.request("GET", "/v1/models/toy/metadata")
    scripted.say(400, {"error": "Malformed request"})
    scripted.say(200, metadata)
    plain = Client(scripted.url, "toy")
    for name, signature in told.signatures.signatures.items():
        for side in ("inputs", "outputs"):
            known = {key: (tensor.dtype, tensor.shape, tensor.next) for key, tensor in getattr(signature, side).items()}
            found = getattr(plain.signature(name), side)
            assert {key: (tensor.dtype, tensor.shape, tensor.next) for key, tensor in found.items()} == known
    assert [request[1] for request in scripted.requests] == ["/v1/models/toy/signatures", "/v1/models/toy/metadata"]
    told.close(), read.close(), plain.close()


@pytest.mark.parametrize("told", ["by the server", "by the export"])
def test_defaults_fill_what_is_left_out(running: Running, models: Path, told: str) -> None:
    with client_of(running, export=str(models / "toy") if told == "by the export" else "") as client:
        stream = client.stream("recall")
        stream.begin({"values": [[1, 2]]})
        assert stream.send({})["sum"].tolist() == [6]
        with pytest.raises(ConfigError, match="'text' is missing, which has no default"):
            client.predict({})
    with client_of(running, "grpc") as client, pytest.raises(ConfigError, match="'factor' is missing"):
        client.stream("recall").send({})  # gRPC tells no defaults


@BOTH
def test_a_stream_keeps_the_states(running: Running, kind: str, tmp_path: Path) -> None:
    with client_of(running, kind) as client:
        stream = client.stream(rows=2)
        assert stream.version == 1
        first = stream.send({"values": [[1, 2], [10]]})
        assert sorted(first) == ["problem", "total"] and first["total"][:, 0].tolist() == [1, 10]
        stream.save(tmp_path / "state.json")
        assert stream.send({"values": [[4], [5]]})["total"].tolist() == [[7], [15]]
        other = client.stream(rows=2)
        other.restore(tmp_path / "state.json")
        assert (other.steps, other.states["state_sum"].dtype) == (1, np.float32)
        assert other.send({"values": [[4], [5]]})["total"].tolist() == [[7], [15]]
        stream.reset()
        assert stream.send({"values": [[4], [5]]})["total"].tolist() == [[4], [5]]
        with pytest.raises(ConfigError, match="'sums' keeps no states"):
            client.stream("sums")


@BOTH
def test_a_stream_may_begin_with_another_signature(running: Running, kind: str, tmp_path: Path) -> None:
    export = str(running.server._root / "toy") if kind == "grpc" else ""
    with client_of(running, kind, export=export) as client:
        stream = client.stream("recall", rows=2)
        with pytest.raises(ConfigError, match="call begin"):
            stream.send({})
        assert list(stream.begin({"values": [[1, 2, 3], [5]]})) == ["problem"]
        assert stream.send({"factor": [2, 3]})["sum"].tolist() == [12, 15]
        stream.save(tmp_path / "state.json")
        other = client.stream("recall", rows=2)
        other.restore(tmp_path / "state.json")
        assert other.send({"factor": 1})["sum"].tolist() == [6, 5]
        with pytest.raises(ConfigError, match="begins with zeros"):
            client.stream().begin({})


def test_a_refused_row_keeps_its_state(running: Running) -> None:
    with client_of(running) as client:
        stream = client.stream(rows=2)
        stream.send({"values": [[1], [2]]})
        with pytest.raises(RowsRefused, match="row 1"):
            stream.send({"values": [[1], [np.nan]]})
        assert stream.states["state_sum"][:, 0].tolist() == [2, 2]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: "{", "is no state of a stream"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "another format"),
        (lambda text: text.replace('"version": 1', '"version": 2'), "holds the state of toy, version 2"),
        (lambda text: text.replace("[[0.0,", "[[0.0, 0.0,"), "shape"),
        (lambda text: text.replace("state_sum", "state_product"), "state_sum"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(running: Running, change: Any, told: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with client_of(running) as client:
        stream = client.stream()
        stream.save(path)
        path.write_text(change(path.read_text()))
        with pytest.raises(DataError, match=told):
            stream.restore(path)
        assert stream.steps == 0


@pytest.fixture
def busy(scripted: Script, monkeypatch: pytest.MonkeyPatch) -> tuple[Script, list[float]]:
    """A scripted server that has told its metadata, and the pauses that a client makes."""
    pauses: list[float] = []
    monkeypatch.setattr("rnnapps.client.retrying.time.sleep", pauses.append)
    scripted.say(404, {"error": "Malformed request"})
    scripted.say(200, METADATA)
    return scripted, pauses


def test_a_server_that_is_busy_is_asked_again_when_it_says(busy: tuple[Script, list[float]]) -> None:
    script, pauses = busy
    script.say(429, {"error": "full"}, Retry_After="3")
    script.say(503, {"error": "loading"})
    script.answers += [None, None]  # one on the connection that was kept, one on a fresh one
    script.say(503, {"error": "soon"}, Retry_After=formatdate(time.time() + 5, usegmt=True))
    script.say(200, {"outputs": [0.5]})
    with Client(script.url, "m") as client:
        assert client.predict({"x": [1]})["y"].tolist() == [0.5]
    assert pauses[0] == 3 and 0.1 <= pauses[1] <= 0.2 and 0.2 <= pauses[2] <= 0.4 and 3 <= pauses[3] <= 5
    assert script.connections == 3


@pytest.mark.parametrize(
    ("status", "headers", "tries"), [(400, {}, 1), (500, {}, 1), (429, {"Retry_After": "60"}, 1), (503, {}, 3)]
)
def test_it_gives_up_where_asking_again_is_no_use(
    busy: tuple[Script, list[float]], status: int, headers: dict[str, str], tries: int
) -> None:
    script, pauses = busy
    for _ in range(tries):
        script.say(status, {"error": "the  reason\nin lines"}, **headers)
    client, told = (
        Client(script.url, "m", ClientOptions(retries=2)),
        f"{script.url}: status {status}: the reason in lines",
    )
    with client, pytest.raises(ServingError, match=f"^{told}$") as caught:
        client.predict({"x": [1]})
    assert (caught.value.status, len(pauses)) == (str(status), tries - 1)
    assert not script.answers


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>", "no JSON"),
        (b"[1]", "no JSON object"),
        (b'{"outputs": [[1]]}', "shape"),
        (b'{"outputs": ["a"]}', "not what the signature says"),
        (b'{"predictions": [1]}', "not what the signature says"),
    ],
)
def test_answers_of_something_else_are_told(busy: tuple[Script, list[float]], body: bytes, told: str) -> None:
    script, _ = busy
    script.say(200, body)
    with Client(script.url, "m") as client, pytest.raises(ServingError, match=told):
        client.predict({"x": [1]})


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server_is_told_in_one_line(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("rnnapps.client.retrying.time.sleep", pauses.append)
    client = Client(f"{scheme}://127.0.0.1:9", "m", ClientOptions(retries=2))
    with client, pytest.raises(ServingError) as caught:
        client.predict({"x": [1]})
    assert len(pauses) == 2 and "\n" not in str(caught.value) and "127.0.0.1:9" in str(caught.value)


@pytest.mark.parametrize(
    "url", ["localhost:8501", "ftp://a", "http://", "http://a:b", "http://a:99999", "http://u@a", "http://a?b", ""]
)
def test_addresses_that_are_none_are_told(url: str) -> None:
    with pytest.raises(ConfigError, match=r"address|expected http"):
        Client(url, "m")


def certified(folder: Path) -> dict[str, str]:
    """Files of a certificate for this machine, and its key."""
    names = {"tls_certificate": str(folder / "cert.pem"), "tls_key": str(folder / "key.pem")}
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    files = ["-keyout", names["tls_key"], "-out", names["tls_certificate"]]
    subprocess.run([*made, *named, *files], check=True, capture_output=True)
    return names


def test_the_token_is_shown_over_connections_that_are_checked(models: Path, start: Start, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    files = certified(tmp_path)
    running = start(models, token_file=str(tmp_path / "token"), **files)
    trusted = {"ca_file": files["tls_certificate"], "retries": 0}
    for kind in ("https", "grpcs"):
        with client_of(running, kind, token=TOKEN, **trusted) as client:
            assert client.predict({"text": ["a"]})["upper"].tolist() == ["A"]
        with client_of(running, kind, **trusted) as client, pytest.raises(ServingError, match="token is missing"):
            client.predict({"text": ["a"]})
        with client_of(running, kind, token=TOKEN, retries=0) as client, pytest.raises(ServingError):
            client.predict({"text": ["a"]})
    with client_of(running, "https", token=TOKEN) as client, pytest.raises(ServingError, match="is not trusted"):
        client.predict({"text": ["a"]})
    with client_of(running, "http", retries=0) as client, pytest.raises(ServingError, match="cannot be reached"):
        client.predict({"text": ["a"]})
    with pytest.raises(ConfigError, match="no certificates can be read"):
        client_of(running, "https", ca_file=str(tmp_path / "token"))


def test_it_loads_neither_tensorflow_nor_keras(running: Running) -> None:
    code = (
        "import sys\nfrom rnnapps.client import Client\n"
        "assert not {'tensorflow', 'keras', 'grpc', 'google.protobuf'} & set(sys.modules)\n"
        f"for url in {[f'http://127.0.0.1:{running.server.port}', f'grpc://127.0.0.1:{running.server.grpc_port}']}:\n"
        "    print(Client(url, 'toy').predict({'text': ['a']})['upper'][0])\n"
        "print(*{'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["A", "A"]
