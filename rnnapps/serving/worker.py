"""The process of one version of a model: confined before it reads anything of it, then asked over its pipes.

`python -m rnnapps.serving.worker JOB`, where JOB is JSON. Only the standard library is imported before the confinement.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from rnnapps.export.confined import code_paths
from rnnapps.export.confinement import Limits, confine
from rnnapps.serving.job import Job

__all__ = ["main"]

_FILE_BYTES = 1024**2  # it writes none


def main(text: str) -> None:
    """Confines this process, then serves the model until its input ends."""
    job = Job(**json.loads(text))
    answers = _own_output()
    limits = Limits(job.memory_bytes, None, _FILE_BYTES)
    told = confine(limits, readable=[*code_paths(), Path(job.folder)], writable=[Path(os.devnull)])
    from rnnapps.serving.model_loop import serve_model

    serve_model(job, sys.stdin.buffer, answers, told)


def _own_output() -> Any:
    """Standard output for answers alone: what a library prints goes to standard error instead."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main(sys.argv[1])
