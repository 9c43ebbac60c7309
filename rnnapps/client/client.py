"""A client of one model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import SplitResult, urlsplit

from rnnapps.client.grpc_transport import GrpcTransport
from rnnapps.client.options import ClientOptions, Target
from rnnapps.client.request import complete
from rnnapps.client.rest import RestTransport
from rnnapps.client.retrying import with_retries
from rnnapps.client.stream import Stream
from rnnapps.contract.served import ServedSignature, Signatures
from rnnapps.contract.tensor_names import PROBLEM
from rnnapps.errors import ConfigError, RowsRefused
from rnnapps.types import Arrays

__all__ = ["Client"]

DEFAULT_SIGNATURE = "serving_default"


class _Transport(Protocol):
    """How a server is asked."""

    def predict(self, target: Target, name: str, signature: ServedSignature, inputs: Arrays) -> Arrays: ...

    def resolved(self, target: Target) -> tuple[int, Signatures]: ...

    def told(self, target: Target) -> Signatures | None: ...

    def close(self) -> None: ...


class Client:
    """Asks a model that TensorFlow Serving or `rnnapps serve` serves; any thread may use it.

    Args:
        url: of the server: `http://HOST:PORT` or `https:` for REST, `grpc:` or `grpcs:` for gRPC; or the connections of
            another client, which are used together.
        model: its name on the server.
        options: which version, how patiently, token and certificates.

    Attributes:
        model: the name.
        options: as given.

    Raises:
        ConfigError: the address is none, or gRPC is not installed.
    """

    def __init__(self, url: str | _Transport, model: str, options: ClientOptions | None = None) -> None:
        self.model, self.options = model, options or ClientOptions()
        self._transport = _transport(url, self.options) if isinstance(url, str) else url
        self._signatures: Signatures | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes its connections."""
        self._transport.close()

    @property
    def signatures(self) -> Signatures:
        """What the model can be asked: of the export, or of the server, which is asked once.

        A server that does not know `signatures.json` tells types and shapes only; then there are no defaults.
        """
        if self._signatures is None:
            self._signatures = self._read_signatures()
        return self._signatures

    def signature(self, name: str) -> ServedSignature:
        """One of them; raises ConfigError where there is none of that name."""
        found = self.signatures.signatures
        if name not in found:
            raise ConfigError(f"model {self.model!r} has no signature {name!r}; it has {', '.join(sorted(found))}")
        return found[name]

    def predict(
        self, inputs: Mapping[str, Any], signature: str = DEFAULT_SIGNATURE, *, problems: str = "raise"
    ) -> Arrays:
        """Asks the model.

        Args:
            inputs: name -> array or nested lists, one row each; a single value counts for every row, rows of different
                lengths are padded. `lengths`, and inputs that have a default, may be left out.
            signature: the signature that is asked.
            problems: what happens where a row is refused: `raise` RowsRefused, or `return` the reasons as the output
                `problem`, empty for rows that were answered.

        Returns:
            Output name -> array, the batch first; strings as text, those whose name ends in `_bytes` as bytes.

        Raises:
            ConfigError: the inputs are not those of the signature.
            RowsRefused: the model has refused a row.
            ServingError: the server cannot be reached, or does not answer.
        """
        served = self.signature(signature)
        arrays = complete(signature, served, inputs)
        target = self.options.target(self.model)
        outputs = with_retries(lambda: self._transport.predict(target, signature, served, arrays), self.options)
        return self.checked(outputs, problems)

    def stream(self, signature: str = "step", *, rows: int = 1) -> Stream:
        """Begins a stream, whose states this side keeps.

        Args:
            signature: takes a chunk and the states before it.
            rows: how many sequences go on side by side.

        Raises:
            ConfigError: the signature has no states.
            ServingError: the server cannot be asked.
        """
        version = self.resolve()
        return Stream(self.at(version), version, signature, rows=rows)

    def resolve(self) -> int:
        """The version that answers now."""
        if self.options.version is not None:
            return self.options.version
        return with_retries(lambda: self._transport.resolved(self.options.target(self.model)), self.options)[0]

    def at(self, version: int) -> Client:
        """The same client, over the same connections, for one version."""
        return Client(self._transport, self.model, replace(self.options, version=version, label=""))

    def checked(self, outputs: Arrays, problems: str) -> Arrays:
        """The outputs of a request; raises RowsRefused where that is wanted and a row was refused."""
        if problems not in ("raise", "return"):
            raise ConfigError(f"problems: {problems!r} found, 'raise' or 'return' expected")
        told = [str(problem) for problem in outputs.get(PROBLEM, ())]
        if problems == "raise" and any(told):
            raise RowsRefused(told, outputs)
        return outputs

    def _read_signatures(self) -> Signatures:
        if self.options.export:
            return _of_export(Path(self.options.export), self.options.version)
        target = self.options.target(self.model)
        told = with_retries(lambda: self._transport.told(target), self.options)
        return told or with_retries(lambda: self._transport.resolved(target), self.options)[1]


def _of_export(folder: Path, version: int | None) -> Signatures:
    """`signatures.json` of an export."""
    from rnnapps.export.signature_file import read_signatures
    from rnnapps.export.versions import find_version

    wanted = folder / str(version)
    return read_signatures(wanted if version is not None and wanted.is_dir() else find_version(folder))


def _transport(url: str, options: ClientOptions) -> _Transport:
    """What speaks the protocol of an address."""
    kinds: dict[str, Callable[[SplitResult, ClientOptions], _Transport]] = {
        "http": RestTransport,
        "https": RestTransport,
        "grpc": GrpcTransport,
        "grpcs": GrpcTransport,
    }
    try:
        parts: SplitResult = urlsplit(url)
        parts.port  # noqa: B018  (raises ValueError where it is none)
    except ValueError as error:
        raise ConfigError(f"{url!r}: is no address ({error})") from error
    if parts.scheme not in kinds or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ConfigError(f"{url!r}: expected http://HOST:PORT, https:, grpc: or grpcs:")
    return kinds[parts.scheme](parts, options)
