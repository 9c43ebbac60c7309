"""What a server refuses: strangers, requests that are too large or too many, and settings that cannot be."""

from __future__ import annotations

import asyncio
import datetime
import http.client
import ipaddress
import json
import logging
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tensorflow_serving.apis import prediction_service_pb2_grpc

from rnnapps.cli.main import main
from rnnapps.cli.serving import parse_serve
from rnnapps.errors import ConfigError, ExportError
from rnnapps.serving.access import read_token
from rnnapps.serving.logs import JsonLines, Sentences
from rnnapps.serving.metrics import Metrics
from rnnapps.serving.options import ServeOptions
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.service import Service
from tests.serving.conftest import Running, Start, run_server
from tests.serving.test_grpc import request

TOKEN = "a-token-of-enough-letters"


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def guarded(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    """A server with a token, TLS and small limits; and its certificate."""
    folder = tmp_path_factory.mktemp("guarded")
    certificate, key = write_certificate(folder)
    token = folder / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    tls = {"tls_certificate": str(certificate), "tls_key": str(key)}
    for running in run_server(models, token_file=str(token), body_mib=1, rows=4, **tls):
        yield running, certificate


def over_tls(guarded: tuple[Running, Path], path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    running, certificate = guarded
    context = ssl.create_default_context(cafile=str(certificate))
    connection = http.client.HTTPSConnection("127.0.0.1", running.server.port, context=context, timeout=30)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def predicted(guarded: tuple[Running, Path], texts: list[str], **headers: str) -> tuple[int, str]:
    return over_tls(guarded, "/v1/models/toy:predict", json.dumps({"instances": texts}).encode(), **headers)


def test_only_who_bears_the_token_is_answered(guarded: tuple[Running, Path]) -> None:
    assert predicted(guarded, ["a"], Authorization=f"Bearer {TOKEN}")[0] == 200
    for wrong in ({}, {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer "}):
        status, body = predicted(guarded, ["a"], **wrong)
        assert (status, json.loads(body)) == (401, {"error": "the bearer token is missing or wrong"})
    assert over_tls(guarded, "/monitoring/prometheus/metrics")[0] == 401
    assert over_tls(guarded, "/healthz") == (200, "ok\n")
    assert over_tls(guarded, "/readyz") == (200, "ready\n")


def test_so_it_is_over_grpc(guarded: tuple[Running, Path]) -> None:
    running, certificate = guarded
    secure = grpc.ssl_channel_credentials(certificate.read_bytes())
    with grpc.secure_channel(f"127.0.0.1:{running.server.grpc_port}", secure) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        asked = request("", {"text": np.array([b"a"])})
        assert stub.Predict(asked, metadata=(("authorization", f"Bearer {TOKEN}"),)).outputs["upper"].string_val == [
            b"A"
        ]
        with pytest.raises(grpc.RpcError) as caught:
            stub.Predict(asked, metadata=(("authorization", "Bearer x"),))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_large_requests_are_refused(guarded: tuple[Running, Path]) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    status, body = predicted(guarded, ["a"] * 5, **bearer)
    assert (status, "5 rows found, at most 4" in body) == (400, True)
    status, body = predicted(guarded, ["a" * 2**20], **bearer)
    assert (status, "larger than 1 MiB" in body) == (413, True)
    chunked = {**bearer, "Transfer-Encoding": "chunked"}
    status, body = over_tls(guarded, "/v1/models/toy:predict", _chunks(2**21), **chunked)
    assert (status, "larger than 1 MiB" in body) == (413, True)


def _chunks(size: int) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (size, b" " * size)


def service(**options: Any) -> Service:
    return Service(SimpleNamespace(models=["toy"]), ServeOptions(**options), Metrics())  # type: ignore[arg-type]


def refusal_of(action: Callable[[], Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        asyncio.run(action())
    return caught.value


def test_more_requests_than_allowed_come_again_later() -> None:
    limited = service(requests=1)

    async def two() -> None:
        async with limited.request("toy", "REST"):
            async with limited.request("toy", "Stream", limited=False):
                pass
            async with limited.request("toy", "REST"):
                pass

    refusal = refusal_of(two)
    assert (refusal.code, refusal.retry_seconds) == (Code.RESOURCE_EXHAUSTED, 1)

    async def one() -> str:
        async with limited.request("toy", "REST"):
            return "in"

    assert asyncio.run(one()) == "in"


def test_time_is_limited_and_a_stopping_server_lets_nobody_in() -> None:
    limited = service(request_seconds=0.01)

    async def slow() -> None:
        async with limited.request("toy", "REST"):
            await asyncio.sleep(5)

    assert refusal_of(slow).code is Code.DEADLINE_EXCEEDED
    limited.draining = True
    assert refusal_of(slow).code is Code.UNAVAILABLE


def test_a_refusal_says_when_to_come_again() -> None:
    from rnnapps.serving.rest import refusal_response

    response = refusal_response(Refusal(Code.RESOURCE_EXHAUSTED, "full", retry_seconds=1))
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    assert json.loads(response.body) == {"error": "full"}


@pytest.mark.parametrize("content", ["short", "two words of many letters", "ä" * 20])
def test_a_token_must_be_one(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="expected one word"):
        read_token(str(file))


def test_a_token_that_others_can_read_is_none(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod o-rwx"):
        read_token(str(file))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_token(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "70000"], "--port must be from 0 to 65535"),
        (["--grpc_port", "-2"], "--grpc_port must be from -1"),
        (["--request_seconds", "0"], "--request_seconds must be above 0"),
        (["--rows", "-1"], "--rows must be above 0"),
        (["--tls_key", "key.pem"], "belong together"),
    ],
)
def test_settings_that_cannot_be_are_told(words: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parse_serve(["saved_models", *words])


def test_flags_are_the_settings() -> None:
    arguments, options = parse_serve(["models", "--port", "1", "--no-batching", "--memory_mib", "100", "--log_json"])
    assert arguments.folder == "models"
    assert options == ServeOptions(port=1, batching=False, memory_mib=100, log_json=True)
    assert parse_serve(["models"])[1] == ServeOptions()
    assert ServeOptions().host == "127.0.0.1"


@pytest.mark.parametrize("words", [[], ["models", "--demo"]])
def test_one_folder_or_the_demonstration(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", *words]) == 2
    assert "needs a folder of exports, or --demo" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(models: Path, running: Running, start: Start) -> None:
    with pytest.raises(ConfigError, match="cannot listen"):
        start(models, port=running.server.port)


def test_models_that_cannot_be_loaded_end_the_start(tmp_path: Path, start: Start) -> None:
    (tmp_path / "bad" / "1").mkdir(parents=True)
    (tmp_path / "bad" / "1" / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(ExportError, match="no model could be loaded"):
        start(tmp_path)


def test_lines_of_the_log() -> None:
    record = logging.makeLogRecord(
        {"msg": "loaded", "levelname": "INFO", "model": "toy/1", "seconds": 0.5, "created": 0.0}
    )
    assert json.loads(JsonLines().format(record)) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "INFO",
        "event": "loaded",
        "model": "toy/1",
        "seconds": 0.5,
    }
    assert Sentences().format(record).endswith(" loaded toy/1 (seconds 0.5)")
    bad = logging.makeLogRecord({"msg": "refused", "model": "toy/2", "reason": "damaged\x1b[2J"})
    assert Sentences().format(bad).endswith("refused toy/2: damaged\\x1b[2J")
