"""The file of a stream's state: whole or not there, and refused in one line where it does not belong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnapps.contract.stream_memory import Remembered
from rnnapps.errors import CheckpointError
from rnnapps.verbs.stream_state import KeptMemory

MODEL = {"pipeline": "p", "model": "abc", "seed": "1"}


def saved(path: Path) -> KeptMemory:
    memory = KeptMemory(path, MODEL)
    memory.watch("rows", lambda: Remembered({"last": {"a": 3}}, {"x": np.arange(4, dtype=np.float32)}))
    memory.save()
    return memory


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    saved(tmp_path / "state")
    memory = KeptMemory(tmp_path / "state", MODEL)
    before = memory.before("rows")
    assert before is not None
    assert before.facts == {"last": {"a": 3}}
    assert before.arrays["x"].tolist() == [0, 1, 2, 3]
    assert memory.before("others") is None
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_what_nobody_watches_any_more_is_kept(tmp_path: Path) -> None:
    saved(tmp_path / "state")
    memory = KeptMemory(tmp_path / "state", MODEL)
    memory.watch("input", lambda: Remembered({"lines": 1}))
    memory.save()
    assert KeptMemory(tmp_path / "state", MODEL).before("rows") is not None


def test_every_byte_is_covered_by_the_checksum(tmp_path: Path) -> None:
    saved(tmp_path / "state")
    content = (tmp_path / "state").read_bytes()
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1
        (tmp_path / "state").write_bytes(bytes(changed))
        with pytest.raises(CheckpointError, match=r"is damaged|is no state of a stream"):
            KeptMemory(tmp_path / "state", MODEL)
    (tmp_path / "state").write_bytes(content[:-1])
    with pytest.raises(CheckpointError, match="is damaged"):
        KeptMemory(tmp_path / "state", MODEL)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({**MODEL, "model": "abd"}, "is the state of another model"),
        ({**MODEL, "pipeline": "q"}, "is the state of another model"),
        ({**MODEL, "seed": "2"}, "is the state of a stream with seed 1, not 2"),
    ],
)
def test_the_state_of_something_else_is_refused(model: dict[str, str], message: str, tmp_path: Path) -> None:
    saved(tmp_path / "state")
    with pytest.raises(CheckpointError, match=message) as error:
        KeptMemory(tmp_path / "state", model)
    assert "\n" not in str(error.value)


def test_it_is_written_at_intervals(tmp_path: Path) -> None:
    memory = KeptMemory(tmp_path / "state", MODEL, seconds=0)
    memory.watch("rows", lambda: Remembered({}))
    memory.passed()
    assert (tmp_path / "state").exists()
    memory = KeptMemory(tmp_path / "later", MODEL, seconds=1e6)
    memory.watch("rows", lambda: Remembered({}))
    memory.passed()
    assert not (tmp_path / "later").exists()


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="its folder does not exist"):
        KeptMemory(tmp_path / "absent" / "state", MODEL)
