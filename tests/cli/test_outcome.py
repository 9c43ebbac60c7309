from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnapps.cli.outcome import run_command
from rnnapps.errors import DataError, Interrupted

ROOT = Path(__file__).parents[2]


def raises(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DataError("a.txt", "is\nempty"), 2, "error: a.txt: is empty\n"),
        (PermissionError(13, "Permission denied", "runs/x"), 2, "error: runs/x: Permission denied\n"),
        (OSError(28, "No space left on device"), 2, "error: No space left on device\n"),
        (Interrupted("stopped at step 5; to resume: ...", 143), 143, "stopped at step 5; to resume: ...\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (SystemExit(3), 3, ""),
        (SystemExit(), 0, ""),
    ],
)
def test_exceptions_become_codes_and_one_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(raises(error)) == code
    assert capsys.readouterr().err == line


def test_a_defect_of_our_own_is_one_line_and_keeps_its_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_command(raises(ZeroDivisionError("by\nnothing"))) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: unexpected ZeroDivisionError: by nothing; ")
    (file,) = tmp_path.iterdir()
    assert line.endswith(str(file))
    assert "raise error" in file.read_text() and "Traceback" in file.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_a_command_in_one_line(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> int:
        signal.raise_signal(number)
        raise AssertionError("it goes on")

    before = signal.signal(number, signal.SIG_DFL)  # a process started by nohup ignores SIGHUP
    try:
        assert run_command(command) == 128 + number
        assert capsys.readouterr().err == f"stopped by {number.name}\n"
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_a_reader_that_leaves_is_no_error() -> None:
    code = (
        "import sys\nfrom rnnapps.cli.outcome import run_command\n"
        "def command():\n    for _ in range(100_000): print('x' * 100)\n    return 0\nsys.exit(run_command(command))"
    )
    writer = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.readline()
    writer.stdout.close()
    errors = writer.stderr.read()
    writer.stderr.close()
    assert (writer.wait(), errors) == (141, b"")


@pytest.mark.parametrize("setting", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}])
def test_a_terminal_without_unicode_gets_escapes(setting: dict[str, str]) -> None:
    code = (
        "import sys\nfrom rnnapps.cli.outcome import run_command\nfrom rnnapps.cli.result import print_json\n"
        "def command():\n    print('na\\xefve \\u2603 \\ud800')\n    print_json({'text': 'na\\xefve \\U0001f600'})\n"
        "    return 0\nsys.exit(run_command(command))"
    )
    command = [sys.executable, "-X", "utf8=0", "-c", code]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUTF8"}
    done = subprocess.run(command, cwd=ROOT, env={**environment, **setting}, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    plain, structured = done.stdout.splitlines()
    assert plain == r"na\xefve \u2603 \ud800"
    assert structured == r'{"text": "na\u00efve \ud83d\ude00"}'
    assert json.loads(structured) == {"text": "naïve 😀"}
