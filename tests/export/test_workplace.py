from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rnnapps.errors import ExportError
from rnnapps.export.workplace import check_destination, workplace

ROOT = Path(__file__).parents[2]
WORK = """
import sys, time
from pathlib import Path
from rnnapps.export.workplace import workplace
with workplace(Path(sys.argv[1])) as folder:
    (folder / "version").mkdir()
    (folder / "version" / "saved_model.pb").write_text("half")
    print("working", flush=True)
    time.sleep(600)
"""


def start(base: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", WORK, str(base)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert process.stdout is not None
    process.stdout.close()


def test_what_a_killed_export_left_is_removed_by_the_next(tmp_path: Path) -> None:
    base = tmp_path / "models" / "toy[1]"
    killed, living = start(base), start(base)
    kill(killed)
    others = [base.parent / name for name in (".toy[1].mine", ".toy1.exporting-abc", "toy[1].exporting-abc")]
    for other in others:
        other.mkdir()
    try:
        assert len(list(base.parent.glob(".toy[[]1].exporting-*"))) == 2
        with workplace(base) as folder:
            assert [path.name for path in folder.iterdir()] == [".lock"]
            left = list(base.parent.glob(".toy[[]1].exporting-*"))
            assert len(left) == 2
            assert folder in left
            of_living = next(path for path in left if path != folder)
            assert (of_living / "version" / "saved_model.pb").read_text() == "half"
        assert not folder.exists()
    finally:
        kill(living)
    with workplace(base):
        assert not of_living.exists()
    assert sorted(base.parent.iterdir()) == sorted(others)


def test_a_destination_is_checked_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    check_destination(tmp_path)
    check_destination(tmp_path / "new" / "model")
    for path in (tmp_path / "file", tmp_path / "file" / "model"):
        with pytest.raises(ExportError, match=r"/file: is a file; expected a folder"):
            check_destination(path)
    with pytest.raises(ExportError, match="symbolic link to nothing"):
        check_destination(tmp_path / "dangling" / "model")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_closed_destination_is_told_before_the_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ExportError, match="permission denied"):
        check_destination(tmp_path / "model")
