"""Writes rnnapps/export/operations_core.txt from the C libraries of several versions of TensorFlow.

pip download --no-deps --dest wheels tensorflow-cpu==2.19.1      # and 2.20.0; unzip each into a folder of its own
python -m tests.export.core_operations 2.19=v2.19/tensorflow 2.20=v2.20/tensorflow 2.21=.venv/lib/.../tensorflow

The oldest version comes first. No Python of these packages is run: `TF_GetAllOpList` of the C API lists the operations.
"""

from __future__ import annotations

import multiprocessing
import re
import sys
from pathlib import Path
from typing import Any

from rnnapps.export.allowed import CORE
from rnnapps.export.c_api import Library
from rnnapps.export.protos import shadow_tensorflow

# TensorFlow calls some operations stateless that read or write files, fill tables, or need a cluster or a device.
NOT_PURE = re.compile(
    r"_.*|.*(Dataset|File|Reader|Table|PyFunc|Snapshot|Iterator|Summary|Debug|Print|Session|Queue|Barrier|TensorArray"
    r"|Save|Restore|Checkpoint|Shard|Infeed|Outfeed|Collective|Cudnn|Nccl|Remote|Send|Recv|Device|Sleep|Experimental"
    r"|Vocab|Element|Optional|Dedup|Mesh|SparseCore|Tpu|TPU|Aggregator).*"
    r"|(Xla|Risc|Mlir|DTensor|Relayout|Sdca|Stack|Load|Retrieve|Enqueue|Copy|Host|BoostedTrees|Prelinearize|Batch$|Unbatch"
    r"|Placeholder|CompositeTensor|Abort|CheckPinned|GetMinibatch|FakeParam).*"
)
HANDLES = (20,)  # DT_RESOURCE: what a handle stands for outlives a request
TEXTS = frozenset(  # attributes of free text that name no file
    [
        "bad_indices_policy",
        "color_space",
        "data_format",
        "dct_method",
        "dst_format",
        "encoding",
        "equation",
        "field_delim",
        "fill",
        "fill_mode",
        "input_encoding",
        "interpolation",
        "na_value",
        "padding",
        "pattern",
        "placeholder",
        "rewrite",
        "separator",
        "src_format",
        "template",
    ]
)

HEADER = """\
# Operations of TensorFlow: name, the first of the versions {versions} that has it, and `pure` where it only computes.
# A row with a dot is an attribute that a later version added to an operation.
# Source: TF_GetAllOpList of the C libraries in PyPI's wheels tensorflow-cpu 2.19.1 and 2.20.0 and tensorflow 2.21.0
# (TensorFlow Serving links the same registry). Written by `python -m tests.export.core_operations`, whose docstring
# says how.
"""


def main() -> None:
    """Writes the list."""
    folders = dict(argument.split("=", 1) for argument in sys.argv[1:])
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        registries = {version: pool.apply(read, (folder,)) for version, folder in folders.items()}
    newest = list(registries.values())[-1]
    rows = []
    for name, (is_pure, attributes) in sorted(newest.items()):
        since = next(version for version, registry in registries.items() if name in registry)
        rows.append(f"{name} {since}{' pure' if is_pure else ''}")
        for attribute in attributes:
            known = [version for version, each in registries.items() if name in each and attribute in each[name][1]]
            if known[0] != since:
                rows.append(f"{name}.{attribute} {known[0]}")
    CORE.write_text(HEADER.format(versions=", ".join(registries)) + "\n".join(rows) + "\n", encoding="utf-8")


def read(folder: str) -> dict[str, tuple[bool, list[str]]]:
    """Operation -> whether it is pure, and its attributes, of one library; in a process of its own."""
    shadow_tensorflow()
    from tensorflow.core.framework import op_def_pb2

    operations = op_def_pb2.OpList()
    operations.ParseFromString(Library(Path(folder)).operations())
    return {item.name: (is_pure(item), [attribute.name for attribute in item.attr]) for item in operations.op}


def is_pure(operation: Any) -> bool:
    """Whether nothing but the outputs depends on running an operation, and they on nothing but its inputs."""
    arguments = [*operation.input_arg, *operation.output_arg]
    handles = any(argument.type in HANDLES or argument.is_ref for argument in arguments)
    opaque = any(
        attribute.type in ("func", "list(func)")
        or (attribute.type == "string" and attribute.name not in TEXTS and not attribute.allowed_values.list.s)
        for attribute in operation.attr
    )
    return not (operation.is_stateful or handles or opaque or NOT_PURE.fullmatch(operation.name))


if __name__ == "__main__":
    main()
