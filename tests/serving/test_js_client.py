"""The JavaScript client, run by Node where there is one; its states are those of the Python client."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest

import rnnapps.client
from rnnapps.client import Client
from tests.serving.conftest import Running
from tests.serving.scripted import METADATA, run_script

NODE = shutil.which("node")
SCRIPT = Path(rnnapps.client.__file__).with_name("rnnapps.js")
TESTS = Path(__file__).with_name("js_client.mjs")


@pytest.mark.skipif(NODE is None, reason="the JavaScript client needs Node, which is not on this machine")
def test_the_javascript_client_does_what_the_python_one_does(running: Running, tmp_path: Path) -> None:
    with contextlib.contextmanager(run_script)() as script:
        script.say(404, {"error": "Malformed request"})
        script.say(503, {"error": "loading"}, Retry_After="0")
        script.say(200, METADATA)
        script.answers += [None]
        script.say(200, {"outputs": [0.25]})
        script.say(429, {"error": "later"}, Retry_After="60")
        url = f"http://127.0.0.1:{running.server.port}"
        words = [str(NODE), "--experimental-websocket", str(TESTS), str(SCRIPT), url, script.url]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert not script.answers
    (tmp_path / "state.json").write_text(done.stdout)
    with Client(url, "toy") as client:
        stream = client.stream(rows=2)
        stream.restore(tmp_path / "state.json")
        assert stream.send({"values": [[4], [5]]})["total"].tolist() == [[7], [15]]


def test_it_stands_alone() -> None:
    """No other file and no server but the one that it is given; nothing that runs text as code."""
    text = SCRIPT.read_text(encoding="utf-8")
    assert not [word for word in ("eval(", "new Function", "innerHTML", "//cdn") if word in text]
    assert text.count('import "./rnnapps.js"') == text.count("import ")
