"""Settings of every test process; they must be in place before TensorFlow is imported."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from types import ModuleType

if "RNNAPPS_CACHE" not in os.environ:
    os.environ["RNNAPPS_CACHE"] = tempfile.mkdtemp(prefix="rnnapps-tests-")  # workers of pytest-xdist share it
    atexit.register(shutil.rmtree, os.environ["RNNAPPS_CACHE"], ignore_errors=True)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("MPLBACKEND", "Agg")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Several workers share the cores: more threads each would only make them wait for one another.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

# Examples compile TensorFlow graphs: their time says nothing about the code under test. Derandomized: the same
# examples on every machine.
settings.register_profile(
    "rnnapps", deadline=None, derandomize=True, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("rnnapps")


_files: list[ModuleType] = []
"""The file whose tests run."""


def pytest_runtest_setup(item: pytest.Function) -> None:
    """No collection looks through what earlier files have left any more: with all their graphs each takes seconds.

    Keras collects at every `clear_session`, Matplotlib at every picture.
    """
    if item.module not in _files:
        _files[:] = [item.module]
        gc.collect()
        gc.freeze()
