"""Who wrote an export: an Ed25519 signature of its manifest, which holds the sums of all other files.

The key files are those of OpenSSL (PEM, PKCS 8), and so is the signature (64 bytes, RFC 8032), so that it can be
checked without this package:

openssl genpkey -algorithm ed25519 -out private.pem
openssl pkey -in private.pem -pubout -out public.pem
openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in manifest.json -sigfile manifest.json.sig
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.errors import ExportError
from rnnapps.export.checks import Check, check
from rnnapps.export.manifest import MANIFEST, SIGNATURE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["read_private_key", "sign_manifest", "signature_check"]

_LARGEST_KEY = 64 * 1024


def read_private_key(path: Path | str) -> Ed25519PrivateKey:
    """Reads the key that signs.

    Raises:
        ExportError: it is missing or no private Ed25519 key, or the package that signs is not installed.
    """
    keys, ed25519 = _library()
    how = "make one with: openssl genpkey -algorithm ed25519 -out private.pem"
    try:
        key = keys.load_pem_private_key(_content(Path(path)), password=None)
    except TypeError:
        raise ExportError(f"{path}: is locked by a passphrase; unlock it with: openssl pkey -in {path}") from None
    except Exception as error:
        raise ExportError(f"{path}: not a private key in PEM form ({_reason(error)}); {how}") from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ExportError(f"{path}: not an Ed25519 key; {how}")
    return key


def sign_manifest(folder: Path, key: Ed25519PrivateKey) -> None:
    """Writes the signature of the manifest beside it."""
    (folder / SIGNATURE).write_bytes(key.sign((folder / MANIFEST).read_bytes()))


def signature_check(folder: Path, key_path: Path | str) -> Check:
    """Whether the manifest was signed with the other half of a key.

    Args:
        folder: the version folder.
        key_path: the public key, or the private one.

    Raises:
        ExportError: the key cannot be read, or the package that checks is not installed.
    """
    key = _read_public_key(Path(key_path))
    return check("signature", _failures(folder, key), f"the manifest is signed with the key of {key_path}")


def _failures(folder: Path, key: Ed25519PublicKey) -> list[str]:
    from cryptography.exceptions import InvalidSignature

    try:
        signature = _content(folder / SIGNATURE)
        key.verify(signature, (folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return ["the export is not signed; export it with --key, or do not use it"]
    except OSError as error:
        return [f"{SIGNATURE}: cannot be read ({error.strerror})"]
    except (InvalidSignature, ValueError):
        return ["the manifest was not signed with this key, or was changed since; do not use this export"]
    return []


def _read_public_key(path: Path) -> Ed25519PublicKey:
    keys, ed25519 = _library()
    how = "make it with: openssl pkey -in private.pem -pubout -out public.pem"
    try:
        content = _content(path)
        if b"PRIVATE KEY" in content:
            return read_private_key(path).public_key()
        key = keys.load_pem_public_key(content)
    except ExportError:
        raise
    except Exception as error:
        raise ExportError(f"{path}: not a public key in PEM form ({_reason(error)}); {how}") from None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise ExportError(f"{path}: not an Ed25519 key; {how}")
    return key


def _content(path: Path) -> bytes:
    """A small file."""
    with open(path, "rb") as file:
        return file.read(_LARGEST_KEY)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    return type(error).__name__


def _library() -> tuple[Any, Any]:
    """The modules of keys and of Ed25519."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise ExportError("signatures need the package `cryptography`; pip install 'rnnapps[sign]'") from None
    return serialization, ed25519
