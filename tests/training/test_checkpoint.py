"""Checkpoints: whatever goes in comes out, and a failed or damaged save never costs an older one."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnapps.errors import CheckpointError
from rnnapps.training.checkpoint import (
    checkpoint_steps,
    prune_checkpoints,
    read_checkpoint,
    write_checkpoint,
)

ARRAYS = {"group/0000/dense/kernel": np.arange(6.0, dtype=np.float32).reshape(2, 3)}
DTYPES = ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "uint32", "bool"]
EXTENDED = ["bfloat16", "float8_e4m3fn", "float8_e5m2"]


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    dtype = draw(st.sampled_from(DTYPES + EXTENDED))
    if dtype in DTYPES:
        return draw(hnp.arrays(dtype, shape))
    numbers = np.asarray(draw(hnp.arrays("float32", shape, elements=st.floats(-100, 100, width=32))))
    return numbers.astype(getattr(ml_dtypes, dtype))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stored=st.dictionaries(st.sampled_from(["a/0000/x", "a/0001/x", "b/0000/y/z"]), arrays()))
def test_every_dtype_and_shape_comes_back_bit_for_bit(tmp_path: Path, stored: dict[str, np.ndarray[Any, Any]]) -> None:
    write_checkpoint(tmp_path, 7, stored, {"step": 7})
    found, metadata = read_checkpoint(tmp_path, 7)
    assert metadata == {"step": 7}
    assert found.keys() == stored.keys()
    for key, array in stored.items():
        assert (found[key].dtype, found[key].shape) == (array.dtype, array.shape)
        assert found[key].tobytes() == array.tobytes()


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, 1, ARRAYS, {})
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        for length in (0, 1, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:length])
            with pytest.raises(CheckpointError, match=path.name):
                read_checkpoint(tmp_path, 1)
        path.write_bytes(content)
    assert read_checkpoint(tmp_path, 1)[0].keys() == ARRAYS.keys()


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, 1, ARRAYS, {})
    path = next(tmp_path.glob("*.npz"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(tmp_path, 1)


def test_a_changed_manifest_is_noticed_or_says_the_same(tmp_path: Path) -> None:
    metadata = {"step": 1, "best_value": 1.25, "best_step": None, "nan": float("nan")}
    write_checkpoint(tmp_path, 1, {"x": np.ones(1)}, metadata)
    path = tmp_path / "step-000000001.json"
    content = path.read_bytes()
    refused = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            found = read_checkpoint(tmp_path, 1)[1]
        except CheckpointError:
            refused += 1
        else:
            assert repr(found) == repr(metadata), place
    assert refused > 0.7 * len(content)  # the rest is space between values
    assert json.loads(content).pop("manifest_sha256")
    older = {name: value for name, value in json.loads(content).items() if name != "manifest_sha256"}
    path.write_text(json.dumps(older))
    assert repr(read_checkpoint(tmp_path, 1)[1]) == repr(metadata)


def test_prune_keeps_what_is_asked_and_removes_leftovers(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        write_checkpoint(tmp_path, step, {"x": np.full(3, step)}, {})
    (tmp_path / "step-000000004.99.tmp").write_bytes(b"half")
    (tmp_path / "step-000000004-0123.npz").write_bytes(b"no manifest")
    prune_checkpoints(tmp_path, keep={1, 3})
    assert checkpoint_steps(tmp_path) == [1, 3]
    assert len(list(tmp_path.iterdir())) == 4
    assert read_checkpoint(tmp_path, 1)[0]["x"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_full_disk_leaves_older_states_and_no_leftovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    write_checkpoint(tmp_path, 1, ARRAYS, {})
    before = {path.name for path in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(CheckpointError, match=r"No space left on device.*free space") as caught:
        write_checkpoint(tmp_path, 2, ARRAYS, {})
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_really_full_disk(small_disk: Path) -> None:
    write_checkpoint(small_disk, 1, ARRAYS, {})
    with pytest.raises(CheckpointError, match="No space left on device"):
        write_checkpoint(small_disk, 2, {"x": np.zeros(100_000)}, {})
    assert checkpoint_steps(small_disk) == [1]
    assert read_checkpoint(small_disk, 1)[0].keys() == ARRAYS.keys()
    assert not list(small_disk.glob("*.tmp"))


def test_really_read_only_folder(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(CheckpointError, match="Read-only file system"):
        write_checkpoint(small_disk, 1, ARRAYS, {})
