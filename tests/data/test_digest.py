from __future__ import annotations

import hashlib

import numpy as np

from rnnapps.data.digest import digest_examples


def test_every_part_counts_with_its_length() -> None:
    expected = hashlib.sha256((2).to_bytes(8, "little") + b"ab" + (1).to_bytes(8, "little") + b"c").hexdigest()
    assert digest_examples(["ab", b"c"]) == expected
    assert digest_examples([("ab", "c")]) == expected
    assert digest_examples([{"x": "ab", "y": "c"}]) == digest_examples([{"y": "c", "x": "ab"}]) == expected
    assert digest_examples(["a", "bc"]) != expected


def test_arrays_count_by_their_bytes() -> None:
    array = np.array([[1, 2], [3, 4]], np.int32)
    assert digest_examples([array]) == digest_examples([array.tobytes()])
    assert digest_examples([array]) != digest_examples([array.astype(np.int64)])
    assert digest_examples([array.T]) != digest_examples([array])


def test_no_more_is_read_than_the_start_of_a_split() -> None:
    read = []

    def examples():
        for number in range(100):
            read.append(number)
            yield bytes(2**23)

    digest_examples(examples())
    assert len(read) == 9, "64 MiB are full after the ninth example of 8 MiB"
