from __future__ import annotations

import io

from rnnapps.training.progress import LineDisplay


def test_a_line_a_minute_says_how_far_training_is() -> None:
    now, stream = [0.0], io.StringIO()
    display = LineDisplay(stream, clock=lambda: now[0])
    display.start(100, 1300)
    for second in range(1, 200):
        now[0] = float(second)
        display.update(100 + 2 * second, 1.5)
    assert stream.getvalue().splitlines() == [
        "step 220/1300  loss 1.5  2 steps/s  9 min left",
        "step 340/1300  loss 1.5  2 steps/s  8 min left",
        "step 460/1300  loss 1.5  2 steps/s  7 min left",
    ]


def test_other_lines_put_it_off() -> None:
    now, stream = [0.0], io.StringIO()
    display = LineDisplay(stream, clock=lambda: now[0])
    display.start(0, 10)
    for second in range(0, 300, 50):
        now[0] = float(second)
        display.note(f"evaluated at {second}")
        display.update(second, 1.0)
    assert all(line.startswith("evaluated") for line in stream.getvalue().splitlines())
