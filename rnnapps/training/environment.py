"""What decides on the last bits of a training beside its seed: packages, processor and threads; kept with the run."""

from __future__ import annotations

import functools
import json
import os
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import tensorflow as tf

from rnnapps.atomic import write_atomically
from rnnapps.errors import CheckpointError

__all__ = ["environment", "keep_environment", "kept_environment"]

FILE = "environment.json"
PACKAGES = ("rnnapps", "tensorflow", "keras", "numpy")
_INSTRUCTION_SETS = ("amx_bf16", "avx512f", "avx2", "avx", "sse4_2", "asimd")
"""As the kernel calls them, the widest first."""


@functools.cache
def environment() -> dict[str, str]:
    """Name -> value of what the numbers of a training depend on here, beside seed, settings and data."""
    threads = tf.config.threading.get_intra_op_parallelism_threads() or len(os.sched_getaffinity(0))
    accelerators = [device.name for device in tf.config.list_physical_devices() if device.device_type != "CPU"]
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    processor, instructions = _processor()
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "processor": processor,
        "instruction set": f"{instructions}, limited to {limit}" if limit else instructions,
        "threads": str(threads),
        "accelerators": ", ".join(accelerators) or "none",
    }


def keep_environment(folder: Path, step: int, workers: int = 1) -> Iterator[str]:
    """Adds this environment to those in which a run was trained, where it is another than the last.

    Args:
        folder: the run folder.
        step: updates done so far.
        workers: how many processes train together.

    Yields:
        A line to tell, where training goes on in another environment.

    Raises:
        CheckpointError: the file is damaged or the folder cannot be written.
    """
    before = kept_environment(folder)
    now = dict(environment())
    last = {name: value for name, value in before[-1].items() if name != "step"} if before else {}
    if workers > 1 or "workers" in last:
        now["workers"] = str(workers)
        last.setdefault("workers", "1")
    if last == now:
        return
    try:
        write_atomically(folder / FILE, json.dumps([*before, {"step": step, **now}], indent=1).encode())
    except OSError as error:
        raise CheckpointError(f"{folder}: cannot write {FILE}: {error.strerror or error}; free space") from error
    changed = [
        f"{name} (was {last[name]}, now {now[name]})" for name in now if name in last and last[name] != now[name]
    ]
    if changed and step:
        yield f"{folder}: goes on with other {', '.join(changed)}: the result may differ in the last digits"


def kept_environment(folder: Path) -> list[dict[str, Any]]:
    """The environments of a run in their order, each with the "step" from which it was used; none in older runs.

    Raises:
        CheckpointError: the file is damaged.
    """
    try:
        kept = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return [{str(name): value for name, value in entry.items()} for entry in kept]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, AttributeError, TypeError):
        raise CheckpointError(f"{folder / FILE}: cannot be read; delete it, it is kept for information only") from None


def _processor() -> tuple[str, str]:
    """(name, widest instruction set) of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    known = dict(line.replace("\t", "").split(":", 1) for line in reversed(lines) if ":" in line)
    features = known.get("flags", known.get("Features", "")).split()
    instructions = next((name for name in _INSTRUCTION_SETS if name in features), platform.machine())
    return known.get("model name", platform.processor() or platform.machine()).strip(), instructions


def _version(package: str) -> str:
    """Version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed as a package"
