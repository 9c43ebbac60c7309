"""What cannot become a page of one file is told in one line; what becomes one holds all it needs."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from rnnapps.errors import ConfigError, ExportError
from rnnapps.playground import alone
from rnnapps.playground.alone import RUNTIME, WASM, write_page

STEP = {
    "inputs": {"tokens": {"dtype": "int32", "shape": [1, 1]}, "state_0": {"dtype": "float32", "shape": [1, 2]}},
    "outputs": {"logits": {"dtype": "float32", "shape": [1, 1, 3]}},
    "states": {"state_0": "next_state_0"},
    "first": {},
    "words": {},
    "files": [{"files": ["m_step.onnx"], "format": "onnx"}],
}


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    for name in (RUNTIME, WASM):
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a version that a page reads; what is told of it is made up here."""
    folder = tmp_path / "m" / "3" / "assets.extra" / "portable"
    (folder / "onnx").mkdir(parents=True)
    (folder.parents[1] / "saved_model.pb").write_bytes(b"")
    (folder / "onnx" / "m_step.onnx").write_bytes(b"graph")
    write(folder, {"step": STEP})
    told = {"signatures": {"pipeline": "text_generation", "signatures": {}}, "card": "</script><b>"}
    monkeypatch.setattr(alone, "told_model", lambda _: told)
    return tmp_path / "m"


def write(folder: Path, signatures: dict[str, Any]) -> None:
    (folder / "portable.json").write_text(json.dumps({"format_version": 1, "signatures": signatures}))


def test_a_page_holds_all_that_it_loads(export: Path, runtime: Path, tmp_path: Path) -> None:
    sizes = write_page([export], runtime, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert set(sizes) == {"m"}
    imports = json.loads(re.findall(r'<script type="importmap">(.*?)</script>', page)[0])["imports"]
    texts = {name: base64.b64decode(url.partition(",")[2]).decode() for name, url in imports.items()}
    assert texts.pop("onnxruntime-web") == RUNTIME
    for name, text in texts.items():
        wanted = re.findall(r'^import .*"(.*)";$', text, re.MULTILINE)
        assert set(wanted) <= set(imports), name
    assert "tabs/text_generation/drawing.js" in texts and "WebAssembly" in texts["files/ask.js"]
    given = json.loads(re.findall(r'id="given">(.*?)</script>', page)[0])
    assert given["m"]["version"] == 3 and given["m"]["card"] == "</script><b>"
    assert given["m"]["step"]["first"] == {"state_0": [0, 0]}
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_a_model_without_a_step_for_it_is_told(export: Path, runtime: Path, tmp_path: Path) -> None:
    write(export / "3" / "assets.extra" / "portable", {"tensors": STEP})
    with pytest.raises(ExportError, match=r"3: holds no step for ONNX Runtime; export the model with --portable onnx$"):
        write_page([export], runtime, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_model_whose_tab_needs_a_server_is_told(
    export: Path, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "told_model", lambda _: {"signatures": {"pipeline": "translation"}})
    with pytest.raises(ExportError, match=r"3: the page of translation needs a server; serve it: rnnapps serve$"):
        write_page([export], runtime, tmp_path / "page.html")


def test_a_model_whose_step_reads_something_else_is_told(
    export: Path, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one of music in events, whose tab goes on from frames."""
    monkeypatch.setattr(alone, "told_model", lambda _: {"signatures": {"pipeline": "music_generation"}})
    line = r"3: the page of music_generation needs a step that reads frames, drawn; serve it: rnnapps serve$"
    with pytest.raises(ExportError, match=line):
        write_page([export], runtime, tmp_path / "page.html")


def test_two_models_of_one_name_are_told(export: Path, runtime: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"m/3: another model of the page is called m, too; rename one of the folders$"
    ):
        write_page([export, export / "3"], runtime, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_missing_runtime_is_told(export: Path, tmp_path: Path) -> None:
    line = rf"dist/{re.escape(RUNTIME)}: cannot be read; name the folder `dist` of the npm package onnxruntime-web"
    with pytest.raises(ConfigError, match=line):
        write_page([export], tmp_path / "dist", tmp_path / "page.html")
