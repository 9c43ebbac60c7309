"""What can be done with a pipeline, as functions: the command line and the Python interface both call these.

`train`, `finetune`, `evaluate`, `predict`, `export`, `inspect`: one module each; `opening` opens a run or an export,
`model` is what Python users hold.
"""

from __future__ import annotations

__all__: list[str] = []
