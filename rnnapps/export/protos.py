"""TensorFlow's protocol buffer classes without TensorFlow.

`import tensorflow.core...` runs `tensorflow/__init__.py`, which loads the Python runtime and takes seconds. The process
that checks an export must stay free of it: what runs there has to run in a server that has no Python.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

from rnnapps.errors import ExportError

__all__ = ["shadow_tensorflow", "tensorflow_folder"]


def tensorflow_folder() -> Path:
    """Finds the installed `tensorflow` package without importing it.

    Raises:
        ExportError: TensorFlow is not installed.
    """
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations:
        raise ExportError("tensorflow: not installed in this Python; install it to verify exports")
    return Path(spec.submodule_search_locations[0])


def shadow_tensorflow() -> Any:
    """Puts an empty `tensorflow` package in place of the real one, for this whole process.

    Afterwards the generated modules below `tensorflow.core` (and `tensorflow_serving.apis`) can be imported, and
    nothing of TensorFlow's Python code runs. Call it in a process of its own only.

    Returns:
        The module `tensorflow.core.protobuf.saved_model_pb2`.

    Raises:
        RuntimeError: TensorFlow was already imported.
    """
    if "tensorflow" in sys.modules:
        raise RuntimeError("tensorflow is already imported in this process; expected a fresh one")
    folder = tensorflow_folder()
    package = types.ModuleType("tensorflow")
    package.__path__ = [str(folder)]
    package.__spec__ = importlib.util.find_spec("tensorflow")
    sys.modules["tensorflow"] = package
    return importlib.import_module("tensorflow.core.protobuf.saved_model_pb2")
