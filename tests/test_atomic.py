from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from rnnapps.atomic import _clear_abandoned_files, atomic_file, working_folder, write_atomically
from rnnapps.errors import ExportError
from rnnapps.export.destination import check_destination

ROOT = Path(__file__).parents[1]
WORK = """
import sys, time
from pathlib import Path
from rnnapps.atomic import _clear_abandoned_files, atomic_file, working_folder, write_atomically
base = Path(sys.argv[1])
with working_folder(base.parent, f".{base.name}.exporting-") as folder, atomic_file(base.parent / "file") as file:
    (folder / "version").mkdir()
    (folder / "version" / "saved_model.pb").write_text("half")
    file.write_text("half")
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


def working(base: Path) -> AbstractContextManager[Path]:
    return working_folder(base.parent, f".{base.name}.exporting-")


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    base = tmp_path / "models" / "toy[1]"
    base.parent.mkdir()
    killed, living = start(base), start(base)
    kill(killed)
    others = [base.parent / name for name in (".toy[1].mine", ".toy1.exporting-abc", "toy[1].exporting-abc")]
    for other in others:
        other.mkdir()
    try:
        assert len(list(base.parent.glob(".toy[[]1].exporting-*"))) == 2
        assert len(list(base.parent.glob(".file.*.tmp"))) == 2
        with working(base) as folder:
            assert [path.name for path in folder.iterdir()] == [".lock"]
            left = list(base.parent.glob(".toy[[]1].exporting-*"))
            assert len(left) == 2
            assert folder in left
            of_living = next(path for path in left if path != folder)
            assert (of_living / "version" / "saved_model.pb").read_text() == "half"
        assert not folder.exists()
        write_atomically(base.parent / "other", b"whole")
        (half,) = base.parent.glob(".file.*.tmp")
        assert half.read_text() == "half"
    finally:
        kill(living)
    with working(base):
        assert not of_living.exists()
    _clear_abandoned_files.cache_clear()  # a new process would begin so
    write_atomically(base.parent / "other", b"again")
    assert sorted(base.parent.iterdir()) == sorted([*others, base.parent / "other"])


def test_a_file_obeys_the_umask_and_an_error_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("file", "old")]
    before = os.umask(0o027)
    try:
        write_atomically(path, b"new")
        with working_folder(tmp_path, "work-") as folder:
            assert folder.stat().st_mode & 0o777 == 0o750
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_text() == "new"


def test_a_folder_that_does_not_exist_is_an_error_and_no_endless_search(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "none" / "file", b"")


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
