"""Private names of other packages: no use without a reason, no reason without a use, and a bound on the version."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.private_names.listed import LISTED, PrivateName
from tests.private_names.scan import defined_names, private_names

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for folder in ("rnnapps", "pipelines", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def found() -> set[tuple[str, str]]:
    """Each private name with the file that uses it; of `a.b` and `a.b.c` in one file only the longer."""
    ours = {name for tree in TREES.values() for name in defined_names(tree)}
    used = {file: private_names(tree, ours) for file, tree in TREES.items()}
    return {
        (name, file)
        for file, names in used.items()
        for name in names
        if not any(other.startswith(f"{name}.") for other in names)
    }


def test_the_list_is_what_the_code_uses() -> None:
    listed = {(name.name, file) for name in LISTED for file in name.files}
    assert found() - listed == set(), "give a reason in tests/private_names/listed.py, or better use a public name"
    assert listed - found() == set(), "no longer used: take it off the list"


@pytest.mark.parametrize("name", LISTED, ids=lambda name: name.name)
def test_the_installed_version_has_it(name: PrivateName) -> None:
    assert name.find() is not None
    assert name.reason


@pytest.mark.parametrize("name", LISTED, ids=lambda name: name.name)
def test_newer_versions_than_were_seen_are_not_accepted_unseen(name: PrivateName) -> None:
    bounds = {requirement.name: requirement.specifier for requirement in map(Requirement, PROJECT["dependencies"])}
    bounds["python"] = SpecifierSet(PROJECT["requires-python"])
    assert name.seen in bounds[name.package]
    major, minor = re.match(r"(\d+)\.(\d+)", name.seen).groups()
    assert f"{major}.{int(minor) + 1}" not in bounds[name.package], f"{name.package} needs an upper bound"


SAMPLE = """
import argparse, keras, tensorflow as tf
from sklearn import _loss
from keras.src.utils import tracking
import importlib
if TYPE_CHECKING:
    from keras.src.only import Typed

class Ours:
    def __init__(self, pointer: ctypes._Pointer) -> hashlib._Hash:
        self._own: keras._Number = 1

    def act(self, layer):
        super()._of_the_base()
        self._own + self._inherited + layer._own
        layer._made(1)._made_too
        getattr(layer, "_by_text"), layer.__dict__
        layer._replace(x=1)
        tf.nest.flatten(tf.__internal__.tracking), tf.nest._flat
        importlib.import_module("tensorflow.python.ops")
        "tensorflow.python.ops in a sentence"
"""


def test_the_scan_sees_every_way_to_use_a_private_name() -> None:
    tree = ast.parse(SAMPLE)
    assert private_names(tree, set(defined_names(tree))) == {
        *("sklearn._loss", "keras.src.utils.tracking", "_of_the_base", "_inherited", "_own", "_made", "_made_too"),
        *("_by_text", "tensorflow.__internal__.tracking", "tensorflow.nest._flat", "tensorflow.python.ops"),
    }
