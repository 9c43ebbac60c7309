"""Why a request gets no answer: one code for gRPC and for HTTP, as TensorFlow Serving pairs them."""

from __future__ import annotations

from enum import Enum

__all__ = ["Code", "Refusal"]


class Code(Enum):
    """The codes of gRPC that this server uses; the value is the HTTP status that stands for it."""

    INVALID_ARGUMENT = 400
    UNAUTHENTICATED = 401
    PERMISSION_DENIED = 403
    NOT_FOUND = 404
    TOO_LARGE = 413
    RESOURCE_EXHAUSTED = 429
    INTERNAL = 500
    UNIMPLEMENTED = 501
    UNAVAILABLE = 503
    DEADLINE_EXCEEDED = 504

    @property
    def grpc(self) -> str:
        """Its name in gRPC, which has none for what is too large to be read."""
        return "RESOURCE_EXHAUSTED" if self is Code.TOO_LARGE else self.name


class Refusal(Exception):
    """A request that is not answered.

    Args:
        code: the kind of reason.
        message: what was expected, and what was found.
        retry_seconds: after how long the same request may succeed; 0 where it never will.
    """

    def __init__(self, code: Code, message: str, *, retry_seconds: int = 0) -> None:
        super().__init__(message)
        self.code, self.message, self.retry_seconds = code, message, retry_seconds
