"""The C files of a step, tried before anybody sees them."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnnapps.portable.c.compiler import compile_graph
from rnnapps.portable.c.native import NativeStep, code_bytes, compile_library
from rnnapps.portable.c.source import sources
from rnnapps.portable.parity import compare, unless_far
from rnnapps.portable.static import StaticGraph

__all__ = ["write_c"]


def write_c(static: StaticGraph, folder: Path, name: str) -> list[dict[str, Any]]:
    """Writes `<name>_<signature>.c` and `.h`, and the same with 8-bit weights, each compiled and compared first.

    Args:
        static: a step, or what it begins with.
        folder: where the files are written; empty at first.
        name: of the model.

    Returns:
        What is known of each program: its files, what it costs, and how far its answers are from those of the model.

    Raises:
        ExportError: it cannot become C; there is no C compiler; the answers differ.
    """
    full = _written(static, folder, name, int8=False)
    return [full, *unless_far(lambda: _written(static, folder, name, int8=True))]


def _written(static: StaticGraph, folder: Path, name: str, *, int8: bool) -> dict[str, Any]:
    own = f"{name}_{static.name}" + ("_int8" if int8 else "")
    compiled = compile_graph(static, int8=int8)
    texts = sources(compiled, own, name)
    trial = folder / "trial"
    trial.mkdir()
    try:
        native = NativeStep(compile_library(texts, trial), compiled, own, texts.figures.work)
        difference = compare(f"{own}.c", static, lambda inputs: native(**inputs), exact=not int8)
        code = code_bytes(texts, trial)
        for suffix in (".c", ".h"):
            (trial / f"{own}{suffix}").rename(folder / f"{own}{suffix}")
    finally:
        shutil.rmtree(trial)
    return {"files": [f"{own}.c", f"{own}.h"], "difference": difference, "code": code, **asdict(texts.figures)}
