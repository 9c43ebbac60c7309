from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnnapps.contract.served import ServedSignature, ServedTensor, Signatures
from rnnapps.export.answers import Example
from rnnapps.export.signature_file import SIGNATURES, signatures_text
from rnnapps.export.stored_examples import save_example
from rnnapps.playground.app import CLIENT, FILES, Playground
from rnnapps.playground.tabs import tab_folder
from rnnapps.playground.told import told_models

TOLD = Signatures(
    "toy",
    "text_generation",
    {
        "step": ServedSignature(
            "Adds up.",
            {
                "values": ServedTensor("float64", [None, None], "numbers", missing=True),
                "audio_bytes": ServedTensor("string", [None], "sound"),
                "state_sum": ServedTensor("float32", [None, 1], next="next_state_sum", zero=0),
            },
            {"next_state_sum": ServedTensor("float32", [None, 1])},
        )
    },
)


async def interface(scope: Any, _: Any, send: Any) -> None:
    """The server's own interface: it says what it was asked."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"interface {scope['path']}".encode()})


def version(name: str, number: int, folder: Path, state: str = "AVAILABLE", error: str = "") -> Any:
    place = SimpleNamespace(model=name, number=number, folder=folder)
    return SimpleNamespace(place=place, state=state, error=error, answers=state == "AVAILABLE")


class Found(list[Any]):
    """Versions, as a registry has them."""

    polled = True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inputs = {
        "values": np.array([[1.0, np.nan], [3.0, 4.0]]),
        "audio_bytes": np.array([b"\xff", b"RIFF"], object),
        "state_sum": np.zeros((2, 1), np.float32),
    }
    save_example(tmp_path, Example("step", inputs, {}))
    (tmp_path / SIGNATURES).write_text(signatures_text(TOLD), encoding="utf-8")
    extra = tmp_path / "assets.extra"
    (extra / "model_card.md").write_text("# A toy\n", encoding="utf-8")
    (extra / "config.yaml").write_text("data:\n  source: /home/me/secret.csv\nmodel:\n  units: 3\n", encoding="utf-8")
    (extra / "preprocessing" / "source").mkdir(parents=True)
    (extra / "preprocessing" / "source" / "pieces.json").write_text('{"pieces": ["a"]}', encoding="utf-8")
    return tmp_path


Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture
def ask(folder: Path) -> Ask:
    """Asks a playground with three versions of a model."""
    served = Found([version("toy", 1, folder), version("toy", 2, folder), version("toy", 3, folder, "END")])

    def asked(
        path: str, *, accepted: Callable[[str], bool] | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        pages = Playground(interface, SimpleNamespace(registry=served), accepted)  # type: ignore[arg-type]
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "GET", "path": path, "headers": given, "query_string": b"", "root_path": ""}
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        requests = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            return requests.pop() if requests else await asyncio.Event().wait()  # who asks stays

        asyncio.run(pages(scope, receive, send))
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, content

    return asked


@pytest.mark.parametrize("path", ["/", "/ui"])
def test_whoever_comes_to_the_door_is_led_to_the_page(ask: Ask, path: str) -> None:
    status, headers, _ = ask(path)
    assert (status, headers["location"]) == (307, "/ui/")


def test_the_page_may_ask_this_server_only(ask: Ask) -> None:
    status, headers, content = ask("/ui/")
    assert status == 200 and content == (FILES / "index.html").read_bytes()
    rules = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert {rules[kind] for kind in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert rules["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("path", sorted(FILES.iterdir()), ids=lambda path: path.name)
def test_every_file_is_given_out_with_its_type(ask: Ask, path: Path) -> None:
    status, headers, content = ask(f"/ui/files/{path.name}")
    assert status == 200 and content == path.read_bytes()
    assert headers["x-content-type-options"] == "nosniff"
    kind = {"js": "text/javascript", "css": "text/css", "html": "text/html", "svg": "image/svg+xml"}
    assert headers["content-type"].startswith(kind[path.suffix[1:]])


def test_the_client_is_given_out_as_it_is(ask: Ask) -> None:
    assert ask("/ui/files/rnnapps.js")[2] == CLIENT.read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/ui/files/../app.py",
        "/ui/files/..%2fapp.py",
        "/ui/files/app.py",
        "/ui/files/",
        "/ui/tabs/text_generation/../pipeline.py",
        "/ui/tabs/text_generation/pipeline.py",
        "/ui/tabs/no_such_pipeline/tab.js",
        "/ui/tabs/../x/tab.js",
        "/ui/models/toy/3",
        "/ui/models/other/1",
        "/ui/models/toy/one",
        "/ui/modelsandmore",
        "/ui/more",
    ],
)
def test_nothing_else_is_given_out(ask: Ask, path: str) -> None:
    status, _, content = ask(path)
    assert status == 404 and json.loads(content)["error"].startswith("no page")


@pytest.mark.parametrize("path", ["/v1/models/toy:predict", "/healthz", "/uix", "/monitoring/prometheus/metrics"])
def test_whatever_else_is_asked_the_server_answers(ask: Ask, path: str) -> None:
    assert ask(path)[2] == f"interface {path}".encode()


def test_the_newest_version_that_answers_is_told(ask: Ask) -> None:
    told = {"models": [{"name": "toy", "version": 2}], "loading": [], "refused": [], "complete": True}
    assert json.loads(ask("/ui/models")[2]) == told


def test_what_loads_and_what_is_refused_is_told(folder: Path) -> None:
    registry = Found(
        [
            version("early", 1, folder, "START"),
            version("better", 2, folder, "LOADING"),
            version("better", 1, folder, "END", "was bad"),
            version("worse", 1, folder, "END", "is bad"),
            version("good", 1, folder),
            version("good", 2, folder, "END", "is bad"),
        ]
    )
    registry.polled = False
    assert told_models(registry) == {
        "models": [{"name": "good", "version": 1}],
        "loading": ["better", "early"],
        "refused": [{"name": "worse", "reason": "is bad"}],
        "complete": False,
    }


def test_a_model_tells_what_a_page_needs(ask: Ask) -> None:
    status, _, content = ask("/ui/models/toy/1")
    told = json.loads(content)
    assert status == 200 and told["card"] == "# A toy\n" and told["tab"]
    assert told["signatures"] == json.loads(signatures_text(TOLD))
    assert told["preprocessing"] == {"source/pieces.json": {"pieces": ["a"]}}
    first, second = told["examples"]["step"]
    assert first == {"values": [1.0, None], "audio_bytes": {"b64": "/w=="}}, (
        "a missing value is null, and no state is told"
    )
    assert second == {"values": [3.0, 4.0], "audio_bytes": {"b64": "UklGRg=="}}


def test_where_the_data_of_a_model_were_is_not_told(ask: Ask) -> None:
    content = ask("/ui/models/toy/1")[2]
    assert json.loads(content)["settings"] == {"model": {"units": 3}}
    assert b"secret" not in content


def test_an_export_that_tells_nothing_has_a_page_all_the_same(ask: Ask, folder: Path) -> None:
    (folder / SIGNATURES).unlink()
    told = json.loads(ask("/ui/models/toy/1")[2])
    assert (told["signatures"], told["examples"], told["tab"]) == (None, {}, False)


def test_with_a_token_the_page_is_open_and_the_models_are_not(ask: Ask) -> None:
    def accepted(header: str) -> bool:
        return header == "Bearer right"

    assert ask("/ui/", accepted=accepted)[0] == 200
    for path in ("/ui/models", "/ui/models/toy/1"):
        assert ask(path, accepted=accepted)[0] == 401
        assert ask(path, accepted=accepted, authorization="Bearer wrong")[0] == 401
        assert ask(path, accepted=accepted, authorization="Bearer right")[0] == 200


def test_a_pipeline_of_others_may_bring_a_tab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "waving" / "playground").mkdir(parents=True)
    module = tmp_path / "waving" / "pipeline.py"
    module.write_text("raise RuntimeError('the server has no need to load it')\n")
    (tmp_path / "waving" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    entries = {
        "waving": SimpleNamespace(module="waving.pipeline"),
        "gone": SimpleNamespace(module="no_such.pipeline"),
    }
    monkeypatch.setattr("rnnapps.playground.tabs.pipeline_entries", lambda: entries)
    assert tab_folder("waving") is None, "it brings none"
    (tmp_path / "waving" / "playground" / "tab.js").touch()
    assert tab_folder("waving") == tmp_path / "waving" / "playground"
    sys.modules.pop("waving")  # the package, which was imported to find its module
    assert tab_folder("gone") is None and tab_folder("unheard_of") is None
