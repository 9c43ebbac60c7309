"""Settings of the server; each field is a flag of `rnnapps serve`."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.errors import ConfigError

__all__ = ["ServeOptions"]


@dataclass(frozen=True)
class ServeOptions:
    """What a server may use, and whom it answers.

    Attributes:
        host: address to listen on; 127.0.0.1 answers this machine only.
        port: of REST and WebSockets; 0 for any that is free.
        grpc_port: of gRPC; 0 for any that is free, -1 for no gRPC.
        token_file: file with the token that every request must bear; none where it is empty.
        tls_certificate: file of the certificate (PEM); without one, connections are not encrypted.
        tls_key: file of its private key (PEM).
        poll_seconds: seconds between two looks for new versions.
        load_seconds: the longest that loading a version may take.
        memory_mib: the most memory of the process of one version, in MiB.
        batching: whether rows of several requests run together.
        body_mib: the largest request, in MiB.
        rows: the most rows of one request.
        requests: the most requests that are answered at the same time; more are told to come again.
        request_seconds: the longest that a request may take.
        streams: the most sessions of streams.
        stream_seconds: after how many seconds without a message a session is forgotten.
        sessions: folder that keeps the states of sessions that are idle, or open when the server stops; empty for none.
        stop_seconds: how long requests that run may take to end when the server is stopped.
        log_json: log as JSON lines.
        log_requests: log every request.
    """

    host: str = "127.0.0.1"
    port: int = 8501
    grpc_port: int = 8500
    token_file: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    poll_seconds: float = 2.0
    load_seconds: float = 300.0
    memory_mib: int = 4096
    batching: bool = True
    body_mib: int = 64
    rows: int = 4096
    requests: int = 256
    request_seconds: float = 60.0
    streams: int = 4096
    stream_seconds: float = 600.0
    sessions: str = ""
    stop_seconds: float = 30.0
    log_json: bool = False
    log_requests: bool = False

    def __post_init__(self) -> None:
        """Checks every value; raises ConfigError."""
        least = {"port": 0, "grpc_port": -1}
        for name in ("port", "grpc_port"):
            if not least[name] <= getattr(self, name) <= 65535:
                raise ConfigError(f"--{name} must be from {least[name]} to 65535, not {getattr(self, name)}")
        positive = ("poll_seconds", "load_seconds", "memory_mib", "body_mib", "rows", "requests", "request_seconds")
        for name in (*positive, "streams", "stream_seconds", "stop_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"--{name} must be above 0, not {getattr(self, name)}")
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ConfigError("--tls_certificate and --tls_key belong together; give both files or none")
