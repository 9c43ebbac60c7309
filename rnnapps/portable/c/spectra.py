"""Fast Fourier transforms of real signals whose length is a power of 2."""

from __future__ import annotations

from rnnapps.portable.c.memory import CTYPES

__all__ = ["SPECTRUM", "spectrum", "spectrum_products", "unpacked"]

SPECTRUM = "spectrum"

_TEXT = """\
/* Fourier transform of complex numbers in place (Cooley and Tukey 1965), by tables of a wave of 2 * half steps. */
static void spectrum_@(T *z, const T *cosine, const T *sine, int half) {
    for (int i = 1, j = 0; i < half; ++i) {
        int bit = half >> 1;
        for (; j & bit; bit >>= 1) { j ^= bit; }
        j ^= bit;
        if (i < j) {
            const T real = z[2 * i], imaginary = z[2 * i + 1];
            z[2 * i] = z[2 * j];
            z[2 * i + 1] = z[2 * j + 1];
            z[2 * j] = real;
            z[2 * j + 1] = imaginary;
        }
    }
    for (int span = 1; span < half; span *= 2) {
        for (int begin = 0; begin < half; begin += 2 * span) {
            for (int k = 0; k < span; ++k) {
                const T c = cosine[k * (half / span)], s = sine[k * (half / span)];
                T *a = z + 2 * (begin + k), *b = a + 2 * span;
                const T real = b[0] * c + b[1] * s, imaginary = b[1] * c - b[0] * s;
                b[0] = a[0] - real;
                b[1] = a[1] - imaginary;
                a[0] += real;
                a[1] += imaginary;
            }
        }
    }
}
"""


def spectrum(dtype: str) -> str:
    """The C function that transforms numbers of a type."""
    return _TEXT.replace("@", dtype).replace("T ", f"{CTYPES[dtype]} ")


def spectrum_products(size: int) -> int:
    """Multiply-adds of the transform of a real signal."""
    half = size // 2
    return 2 * half * (half.bit_length() - 1) + 4 * (half + 1)


def unpacked(z: str, k: str, *, tables: tuple[str, str], size: int, targets: tuple[str, str]) -> list[str]:
    """The lines that give bin `k` of a real signal whose even and odd samples were transformed as complex numbers.

    Args:
        z: the transform of `size / 2` complex numbers.
        k: the loop's variable, 0 to `size / 2`.
        tables: of a cosine and a sine of `size` steps.
        size: of the signal.
        targets: where the real and the imaginary part go.
    """
    half = size // 2
    return [
        f"const float *a = {z} + 2 * ({k} % {half}), *b = {z} + 2 * (({half} - {k}) % {half});",
        "const float odd_real = (a[1] + b[1]) / 2, odd_imaginary = (b[0] - a[0]) / 2;",
        f"const float c = {tables[0]}[{k}], s = {tables[1]}[{k}];",
        f"{targets[0]} = (a[0] + b[0]) / 2 + odd_real * c + odd_imaginary * s;",
        f"{targets[1]} = (a[1] - b[1]) / 2 + odd_imaginary * c - odd_real * s;",
    ]
