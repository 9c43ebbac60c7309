"""The process of `rnnapps/export/runner.py`, which confines itself before it reads anything of an export.

`python -m rnnapps.export.confined JOB.json`
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import sysconfig
from pathlib import Path

from rnnapps.export.confinement import Limits, confine

__all__ = ["code_paths", "main"]

# What the dynamic linker, the C library and TensorFlow read of a machine.
_SYSTEM = (
    *("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/nix/store", "/etc/ld.so.cache", "/etc/localtime"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/proc/sys/vm", "/sys/devices/system", "/sys/fs/cgroup"),
    *("/dev/null", "/dev/urandom"),
)
_PACKAGES = ("rnnapps", "numpy", "google.protobuf", "tensorflow", "tensorflow_serving")


def main(job_path: Path) -> None:
    """Confines this process, then runs the job."""
    job = json.loads(job_path.read_text(encoding="utf-8"))
    work = Path(job["events"]).parent
    told = confine(
        Limits(**job["limits"]), readable=[*code_paths(), job_path.parent], writable=[work, Path(os.devnull)]
    )
    with open(job["events"], "a", encoding="utf-8") as events:
        events.write(json.dumps({"event": "check", "name": "confinement", "passed": True, "detail": told}) + "\n")
    from rnnapps.export.runner import main as run

    run(job_path)


def code_paths() -> list[Path]:
    """Python's library, and the packages that run a model; none of them is imported here."""
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    specs = [importlib.util.find_spec(name) for name in _PACKAGES]
    packages = [place for spec in specs if spec for place in spec.submodule_search_locations or ()]
    # NumPy's libraries lie beside it, wherever it was installed.
    beside = [str(Path(place).parent) for place in packages if Path(place).name == "numpy"]
    libraries = [path for path in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if os.path.isabs(path)]
    given = (*_SYSTEM, *folders, *packages, *beside, *libraries, str(Path(sys.base_prefix) / "lib"))
    return [Path(path) for path in given]


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main(Path(sys.argv[1]))
