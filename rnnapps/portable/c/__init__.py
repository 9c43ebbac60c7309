"""A compiler from graphs of fixed shapes to C99: loops over arrays, without allocation, with libm alone.

`compiler` walks the graph; `structure`, `copies`, `elementwise`, `products`, `reductions` and `orders` say what each
operation becomes; `program` collects the loops, `source` writes the files, and `native` tries them.
"""

from __future__ import annotations

__all__: list[str] = []
