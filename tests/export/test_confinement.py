"""A confined process can do its work, and cannot do harm; each limit is tried from within."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems offer no confinement")

TRIED = """
import json, os, pathlib, resource, signal, socket, sys
from rnnapps.export.confinement import Limits, confine
work, secret, other = map(pathlib.Path, sys.argv[1:])
told = confine(Limits(256 << 20, 60, 1 << 20), readable=[pathlib.Path(sys.prefix)], writable=[work])
def attempt(action):
    try:
        return action() or "done"
    except (OSError, MemoryError) as error:
        return type(error).__name__
big = lambda: (work / "big").write_bytes(bytes(2 << 20))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
print(json.dumps({
    "told": told,
    "work": attempt(lambda: str((work / "a").write_text("x"))),
    "read": attempt(secret.read_text),
    "list": attempt(lambda: os.listdir(secret.parent)),
    "write": attempt(lambda: other.write_text("x")),
    "remove": attempt(secret.unlink),
    "socket": attempt(socket.socket),
    "program": attempt(lambda: os.execv("/bin/true", ["true"])),
    "signal": attempt(lambda: os.kill(os.getppid(), 0)),
    "memory": attempt(lambda: bytearray(512 << 20) and "done"),
    "large": attempt(big),
    "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
    "time": resource.getrlimit(resource.RLIMIT_CPU)[0],
}))
"""


def test_what_a_confined_process_can_do(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "apart").mkdir()
    secret, other = tmp_path / "apart" / "secret", tmp_path / "apart" / "other"
    secret.write_text("secret")
    done = subprocess.run(
        [sys.executable, "-c", TRIED, str(tmp_path / "work"), str(secret), str(other)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    found = json.loads(done.stdout)
    told = found.pop("told")
    assert told.startswith("256 MiB and 60 s of processors")
    assert (found["work"], found["memory"], found["large"]) == ("1", "MemoryError", "OSError")
    assert (found["core"], found["time"]) == (0, 60)
    if "no files but its own (Landlock" in told:
        assert {found[name] for name in ("read", "list", "write", "remove")} == {"PermissionError"}
    else:
        assert "this kernel offers no Landlock: it could reach files of this user" in told
    if "no network, no other programs (seccomp)" in told:
        assert {found[name] for name in ("socket", "program", "signal")} == {"PermissionError"}
    else:
        assert "this kernel offers no seccomp: it could reach the network" in told
    assert secret.read_text() == "secret" or "no Landlock" in told
