from __future__ import annotations

import subprocess
import sys

import pytest

from rnnapps.errors import ConfigError
from rnnapps.tasks.text_generation.data.config import TextDataConfig


@pytest.mark.parametrize(
    "values",
    [
        {"validation_fraction": 0.0},
        {"validation_fraction": 1.0},
        {"validation_fraction": float("nan")},
        {"test_fraction": -0.1},
        {"test_fraction": 1.0},
        {"validation_fraction": 0.5, "test_fraction": 0.5},
        {"test": "held_out.txt", "test_fraction": 0.1},
    ],
)
def test_wrong_values_name_the_key(values):
    with pytest.raises(ConfigError, match=r"data\."):
        TextDataConfig(**values)


def test_importing_the_configuration_does_not_load_tensorflow():
    modules = "rnnapps.tasks.text_generation.data.config, rnnapps.data.sources"
    code = f"import sys, {modules}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
