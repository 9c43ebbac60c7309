from __future__ import annotations

import sys

import pytest

from rnnapps.training.measure import measure_command, peak_resident_bytes, peak_rise

MEBIBYTE = 2**20


def test_peak_of_a_child_grows_by_what_it_allocates() -> None:
    def peak(mebibytes: int) -> int:
        return measure_command([sys.executable, "-c", f"block = bytearray({mebibytes} << 20)"]).peak_bytes

    assert 60 * MEBIBYTE < peak(80) - peak(10) < 80 * MEBIBYTE


def test_a_command_reports_output_exit_code_and_environment() -> None:
    program = "import os, sys; print(os.environ['GREETING']); sys.stderr.write('warn'); sys.exit(3)"
    use = measure_command([sys.executable, "-c", program], environment={"GREETING": "héllo"})
    assert use.exit_code == 3
    assert "héllo" in use.output and "warn" in use.output
    assert use.seconds > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset the peak of a process")
def test_rise_is_that_of_one_call_even_after_a_higher_peak() -> None:
    bytearray(120 * MEBIBYTE)
    assert peak_resident_bytes() > 120 * MEBIBYTE
    size, rise = peak_rise(lambda: len(bytearray(50 * MEBIBYTE)))
    assert size == 50 * MEBIBYTE
    assert rise is not None
    assert 48 * MEBIBYTE <= rise < 60 * MEBIBYTE
