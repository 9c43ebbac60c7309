"""The formats that a model can be written in beside its SavedModel; light, so that flags can be checked at once."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.errors import ConfigError
from rnnapps.portable.leaving import SIGNATURES, STEP

if TYPE_CHECKING:
    from rnnapps.portable.static import StaticGraph

__all__ = ["FORMATS", "Format", "check_formats", "check_steps"]

Writer = Callable[["StaticGraph", Path, str], list[dict[str, Any]]]
"""Writes the files of one signature into a folder, under the name of the model; returns what is known of each."""


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        write: its writer.
        needs: modules of the extra `portable` that it imports.
        signatures: what it is written for.
    """

    write: Writer
    needs: tuple[str, ...]
    signatures: tuple[str, ...]

    def takes(self, signature: str) -> bool:
        """Whether it is written for a signature; for one that a step begins with where it is for steps."""
        return (signature if signature in SIGNATURES else STEP) in self.signatures


def _c(static: StaticGraph, folder: Path, name: str) -> list[dict[str, Any]]:
    from rnnapps.portable.c.files import write_c

    return write_c(static, folder, name)


def _litert(static: StaticGraph, folder: Path, name: str) -> list[dict[str, Any]]:
    from rnnapps.portable.litert_files import write_litert

    return write_litert(static, folder, name)


def _onnx(static: StaticGraph, folder: Path, name: str) -> list[dict[str, Any]]:
    from rnnapps.portable.onnx_files import write_onnx

    return write_onnx(static, folder, name)


FORMATS: dict[str, Format] = {
    "c": Format(_c, (), (STEP,)),
    "litert": Format(_litert, ("ai_edge_litert",), SIGNATURES),
    "onnx": Format(_onnx, ("onnx", "onnxruntime", "tf2onnx"), SIGNATURES),
}


def check_formats(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Returns the names of formats, once each.

    Args:
        names: separated by commas, or one by one; None for none.

    Raises:
        ConfigError: there is no such format, or a package that it needs is missing.
    """
    given = [names] if isinstance(names, str) else names or ()
    wanted = tuple(dict.fromkeys(name.strip() for text in given for name in text.split(",") if name.strip()))
    for name in wanted:
        if name not in FORMATS:
            raise ConfigError(f"--portable {name}: no such format; expected some of {', '.join(FORMATS)}")
        missing = [module for module in FORMATS[name].needs if importlib.util.find_spec(module) is None]
        if missing:
            raise ConfigError(
                f"--portable {name}: needs {', '.join(missing)}; install it: pip install 'rnnapps[portable]'"
            )
    return wanted


def check_steps(text: str | int | None) -> int | None:
    """Returns the number of places of inputs of variable length; None where it is not given.

    Raises:
        ConfigError: it is no whole number above 0.
    """
    if text is None:
        return None
    if not str(text).isdecimal() or not int(text):
        raise ConfigError(f"--portable_steps must be a whole number above 0, not {str(text)!r}")
    return int(text)
