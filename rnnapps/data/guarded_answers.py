"""The other side of `rnnapps.data.guarded_process`: a process that answers requests about files of strangers.

It reads a request a line from standard input, and answers each with a line of JSON and what that announces as bytes.
What a damaged file does to it (an error, a crash, a hang, all its memory) does nothing to the process that asked.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from rnnapps.types import Array

__all__ = ["FORMATS", "Refusal", "answer", "serve"]

FORMATS = ",".join(
    (
        "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,gif,flv,asf,ogg,h264,hevc",
        "aac,amr,ac3,eac3,mp3,wav,flac",
    )
)
"""Containers that FFmpeg may open; those that name other files or addresses, such as playlists, are not among them."""


class Refusal(Exception):
    """Why a file is not read, and what to do about it.

    Args:
        problem: what was found.
        remedy: what the user can do about it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


def answer(line: bytes, read: Callable[[dict[str, Any]], Array], noun: str) -> tuple[dict[str, Any], bytes]:
    """The answer to one request: a header, and what was read as bytes.

    Args:
        line: the request, an object of JSON.
        read: what reads a file, given the members of the object.
        noun: what the files are: "video".
    """
    try:
        content = read(json.loads(line))
    except Refusal as refusal:
        return {"problem": refusal.problem, "remedy": refusal.remedy}, b""
    except MemoryError:
        return {"problem": f"needs more memory than a {noun} may take", "remedy": "make it smaller or shorter"}, b""
    except Exception as error:  # FFmpeg's errors, and whatever reading damaged names, times and sizes runs into
        reason = " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__
        return {"problem": f"cannot be decoded: {reason}", "remedy": "convert it again or leave it out"}, b""
    header = {"shape": content.shape, "dtype": content.dtype.str, "bytes": content.nbytes}
    return header, np.ascontiguousarray(content).tobytes()


def serve(read: Callable[[dict[str, Any]], Array], noun: str) -> None:
    """Answers requests until standard input ends, in no more memory than the command line names."""
    import av

    memory_bytes = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    logging.getLogger("libav").setLevel(logging.CRITICAL)
    av.logging.set_level(None)
    for line in sys.stdin.buffer:
        header, content = answer(line, read, noun)
        sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + content)
        sys.stdout.buffer.flush()
