"""A process that reads for another may crash, hang, refuse or run out of memory: each time that is one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnapps.data.guarded_answers import Refusal, answer
from rnnapps.data.guarded_process import GuardedProcess, require_file
from rnnapps.errors import DataError

ANSWER = """
import json, os, sys, time
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "crash":
        os.kill(os.getpid(), 11)
    if request["do"] == "leave":
        sys.exit(3)
    if request["do"] == "hang":
        time.sleep(60)
    header = {"problem": "is blue", "remedy": "paint it"} if request["do"] == "refuse" else {
        "shape": [2, 2], "dtype": "<f4", "bytes": 16}
    content = b"" if "problem" in header else bytes(12) + b"\\0\\0\\x80?"
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\\n" + content)
    sys.stdout.buffer.flush()
"""


def test_one_process_answers_until_it_dies_and_then_another_does() -> None:
    process = GuardedProcess("none", 1)
    process.command = [sys.executable, "-S", "-c", ANSWER]
    for _ in range(2):
        assert process.read("a.wav", {"do": "read"}, seconds=30).tolist() == [[0, 0], [0, 1]]
    first = process.process
    with pytest.raises(DataError, match=r"a\.wav: is blue; paint it"):
        process.read("a.wav", {"do": "refuse"}, seconds=30)
    assert process.process is first
    for what, said in (("crash", "crashed with SIGSEGV"), ("leave", "ended with code 3")):
        with pytest.raises(DataError, match=f"a.wav: cannot be decoded: the decoder {said}"):
            process.read("a.wav", {"do": what}, seconds=30)
    with pytest.raises(DataError, match="the decoder took too long"):
        process.read("a.wav", {"do": "hang"}, seconds=0.2)
    assert process.read("b.wav", {"do": "read"}, seconds=30).shape == (2, 2) and process.process is not first
    process.stop()
    assert process.process is None


def test_what_reading_runs_into_is_the_answer() -> None:
    def read(request: dict[str, str]) -> np.ndarray:
        match request["do"]:
            case "refuse":
                raise Refusal("is blue", "paint it")
            case "memory":
                raise MemoryError
            case "quiet":
                raise ValueError
        raise OSError(5, "Input/output\nerror")

    said = {
        what: answer(json.dumps({"do": what}).encode(), read, "video")[0] for what in ("refuse", "memory", "x", "quiet")
    }
    assert said["refuse"] == {"problem": "is blue", "remedy": "paint it"}
    assert said["memory"]["problem"] == "needs more memory than a video may take"
    assert said["x"]["problem"] == "cannot be decoded: Input/output error"
    assert said["quiet"]["problem"] == "cannot be decoded: ValueError"
    assert answer(b"{", read, "video")[0]["problem"].startswith("cannot be decoded: ")
    header, content = answer(b"{}", lambda _: np.arange(6, dtype=np.int16).reshape(2, 3)[:, ::2], "video")
    assert np.frombuffer(content, header["dtype"]).reshape(header["shape"]).tolist() == [[0, 2], [3, 5]]
    assert header["bytes"] == len(content)


def test_files_are_looked_at_before_a_process_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(9))
    require_file(tmp_path / "a", maximum_bytes=9, noun="video")
    for name, most, said in (
        ("a", 8, "has 9 bytes; at most 8 are read"),
        ("b", 8, "does not exist"),
        ("", 8, "regular"),
    ):
        with pytest.raises(DataError, match=said):
            require_file(tmp_path / name, maximum_bytes=most, noun="video")
