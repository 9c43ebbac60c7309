"""Files of an exported model for other runtimes: C, ONNX and LiteRT, made of its endpoints `tensors` and `step`.

`static` traces an endpoint with fixed shapes, `folding` leaves of the graph what depends on inputs; `c` compiles that.
"""

from __future__ import annotations

__all__: list[str] = []
