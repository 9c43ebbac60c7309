"""What `rnnapps new` writes: a pipeline and a cell that work from the first minute.

Files end in `.txt`, which is taken off; `my_pipeline` and `MyPipeline`, `my_cell` and `MyCell` become the new names.
"""

from __future__ import annotations

__all__: list[str] = []
