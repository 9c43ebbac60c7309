"""The C function that solves linear systems."""

from __future__ import annotations

from rnnapps.portable.c.memory import CTYPES

__all__ = ["SOLVE", "solve"]

SOLVE = "solve"
_TEXT = """\
/* Solves a x = b for several columns b by elimination with pivots; x takes the place of b, a is used up. */
static void solve_NAME(T *a, T *b, int size, int columns) {
    for (int c = 0; c < size; ++c) {
        int best = c;
        for (int r = c + 1; r < size; ++r) {
            if (fabs(a[r * size + c]) > fabs(a[best * size + c])) { best = r; }
        }
        for (int k = 0; k < size; ++k) {
            const T x = a[c * size + k];
            a[c * size + k] = a[best * size + k];
            a[best * size + k] = x;
        }
        for (int k = 0; k < columns; ++k) {
            const T x = b[c * columns + k];
            b[c * columns + k] = b[best * columns + k];
            b[best * columns + k] = x;
        }
        for (int r = 0; r < size; ++r) {
            if (r == c) { continue; }
            const T factor = a[r * size + c] / a[c * size + c];
            for (int k = c; k < size; ++k) { a[r * size + k] -= factor * a[c * size + k]; }
            for (int k = 0; k < columns; ++k) { b[r * columns + k] -= factor * b[c * columns + k]; }
        }
    }
    for (int r = 0; r < size; ++r) {
        for (int k = 0; k < columns; ++k) { b[r * columns + k] /= a[r * size + r]; }
    }
}
"""


def solve(dtype: str) -> str:
    """The function for a type."""
    return (
        _TEXT.replace("NAME", dtype).replace("T *", f"{CTYPES[dtype]} *").replace("const T ", f"const {CTYPES[dtype]} ")
    )
