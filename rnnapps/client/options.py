"""Settings of a client."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.errors import ConfigError

__all__ = ["ClientOptions", "Target"]


@dataclass(frozen=True)
class Target:
    """Whom requests ask.

    Attributes:
        model: name of the model.
        version: its version; None for the newest that is served.
        label: of a version, such as stable, instead.
    """

    model: str
    version: int | None = None
    label: str = ""


@dataclass(frozen=True)
class ClientOptions:
    """What a client asks for, and how patient it is.

    Attributes:
        version: of the model; None for the newest that is served.
        label: of a version, such as stable, instead.
        export: folder of the model's versions, or one of them, whose `signatures.json` says what the signatures are;
            where it is empty the server is asked.
        token: bearer token of the server; empty for none.
        ca_file: certificates (PEM) that the server's is checked with; empty for those of the system.
        timeout_seconds: the longest that one try may take.
        retries: how often a request is sent again that met no server, or one that was busy.
        longest_wait_seconds: the longest pause before that; a server that asks for a longer one is not asked again.
    """

    version: int | None = None
    label: str = ""
    export: str = ""
    token: str = ""
    ca_file: str = ""
    timeout_seconds: float = 60.0
    retries: int = 4
    longest_wait_seconds: float = 10.0

    def __post_init__(self) -> None:
        """Checks the values; raises ConfigError."""
        if self.version is not None and self.label:
            raise ConfigError(f"version {self.version} and label {self.label!r} found, one of them expected")
        if not self.timeout_seconds > 0 or self.retries < 0 or not self.longest_wait_seconds >= 0:
            raise ConfigError("timeout_seconds must be above 0, retries and longest_wait_seconds not below")
        if not self.token.isascii() or len(self.token.split()) > 1:
            raise ConfigError("token: one word of ASCII characters expected")

    def target(self, model: str) -> Target:
        """Whom requests ask."""
        return Target(model, self.version, self.label)
