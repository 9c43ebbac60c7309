"""TensorFlow's C API through ctypes: load a SavedModel and run its signatures with no Python TensorFlow.

This is the loader TensorFlow Serving uses. A graph that only works inside Python (a `py_function`, a custom op that
some import registered) loads or runs in `tf.saved_model.load` and fails here.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.errors import ExportError
from rnnapps.export.arrays import Arrays, as_array
from rnnapps.export.dtypes import DT_STRING, NUMPY_TYPES, TYPE_NAMES
from rnnapps.export.protos import tensorflow_folder
from rnnapps.types import Array, ArrayLike

__all__ = ["Library", "RuntimeFailure", "Session"]

_STRING_BYTES = 24  # sizeof(TF_TString)
_NUMBERS = {dtype: number for number, dtype in NUMPY_TYPES.items()}
_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_size_t


class RuntimeFailure(ExportError):
    """TensorFlow's own error.

    Args:
        message: what it says.
        code: its number, that of gRPC: 3 for an invalid argument.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class _Buffer(ctypes.Structure):
    _fields_ = (("data", _POINTER), ("length", _SIZE), ("deallocator", _POINTER))


class _Output(ctypes.Structure):
    _fields_ = (("operation", _POINTER), ("index", ctypes.c_int))


# name -> (result, arguments); every pointer is opaque.
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "TF_NewStatus": (_POINTER, ()),
    "TF_DeleteStatus": (None, (_POINTER,)),
    "TF_GetCode": (ctypes.c_int, (_POINTER,)),
    "TF_Message": (ctypes.c_char_p, (_POINTER,)),
    "TF_Version": (ctypes.c_char_p, ()),
    "TF_GetAllOpList": (ctypes.POINTER(_Buffer), ()),
    "TF_DeleteBuffer": (None, (ctypes.POINTER(_Buffer),)),
    "TF_NewGraph": (_POINTER, ()),
    "TF_NewSessionOptions": (_POINTER, ()),
    "TF_LoadSessionFromSavedModel": (
        _POINTER,
        (_POINTER, _POINTER, ctypes.c_char_p, _POINTER, ctypes.c_int, *[_POINTER] * 3),
    ),
    "TF_GraphOperationByName": (_POINTER, (_POINTER, ctypes.c_char_p)),
    "TF_SessionRun": (
        None,
        (*[_POINTER] * 4, ctypes.c_int, _POINTER, _POINTER, ctypes.c_int, _POINTER, ctypes.c_int, _POINTER, _POINTER),
    ),
    "TF_AllocateTensor": (_POINTER, (ctypes.c_int, _POINTER, ctypes.c_int, _SIZE)),
    "TF_DeleteTensor": (None, (_POINTER,)),
    "TF_TensorType": (ctypes.c_int, (_POINTER,)),
    "TF_NumDims": (ctypes.c_int, (_POINTER,)),
    "TF_Dim": (ctypes.c_int64, (_POINTER, ctypes.c_int)),
    "TF_TensorData": (_POINTER, (_POINTER,)),
    "TF_StringInit": (None, (_POINTER,)),
    "TF_StringCopy": (None, (_POINTER, ctypes.c_char_p, _SIZE)),
    "TF_StringGetDataPointer": (_POINTER, (_POINTER,)),
    "TF_StringGetSize": (_SIZE, (_POINTER,)),
}


class Library:
    """The shared libraries of TensorFlow.

    Args:
        folder: the package they lie in, that of the installed one by default.

    Raises:
        ExportError: the libraries are missing or not loadable.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or tensorflow_folder()
        try:
            # The second library finds the symbols of the first one.
            ctypes.CDLL(str(_find(folder, "libtensorflow_framework")), mode=ctypes.RTLD_GLOBAL)
            self._library = ctypes.CDLL(str(_find(folder, "libtensorflow_cc")))
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(self._library, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise ExportError(f"{folder}: TensorFlow's C library cannot be used ({error}); reinstall it") from error

    def call(self, name: str, *arguments: Any) -> Any:
        """Calls a function that cannot fail."""
        return getattr(self._library, name)(*arguments)

    def checked(self, name: str, *arguments: Any) -> Any:
        """Calls a function whose last argument is a status; raises RuntimeFailure with its message."""
        status = self.call("TF_NewStatus")
        try:
            result = self.call(name, *arguments, status)
            if code := self.call("TF_GetCode", status):
                message = self.call("TF_Message", status).decode(errors="replace")
                raise RuntimeFailure(" ".join(message.split()), code)
            return result
        finally:
            self.call("TF_DeleteStatus", status)

    def operations(self) -> bytes:
        """The serialised OpList of all ops this library can run."""
        buffer = self.call("TF_GetAllOpList")
        try:
            return ctypes.string_at(buffer.contents.data, buffer.contents.length)
        finally:
            self.call("TF_DeleteBuffer", buffer)

    def to_tensor(self, value: ArrayLike) -> int:
        """Copies an array into a new TF_Tensor, which the caller deletes."""
        array = as_array(value)
        strings = array.dtype == object
        if not strings and array.dtype not in _NUMBERS:
            raise ExportError(f"values of type {array.dtype} cannot be sent to a model")
        dimensions = (ctypes.c_int64 * array.ndim)(*array.shape)
        size = array.size * _STRING_BYTES if strings else array.nbytes
        number = DT_STRING if strings else _NUMBERS[array.dtype]
        tensor: int = self.call("TF_AllocateTensor", number, dimensions, array.ndim, size)
        data = self.call("TF_TensorData", tensor)
        if strings:
            for position, element in enumerate(array.ravel().tolist()):
                self.call("TF_StringInit", data + position * _STRING_BYTES)
                self.call("TF_StringCopy", data + position * _STRING_BYTES, element, len(element))
        elif size:
            ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, size)
        return tensor

    def to_array(self, tensor: int) -> Array:
        """Copies a TF_Tensor into an array; strings become objects of type `bytes`."""
        number = self.call("TF_TensorType", tensor)
        shape = tuple(self.call("TF_Dim", tensor, axis) for axis in range(self.call("TF_NumDims", tensor)))
        data, count = self.call("TF_TensorData", tensor), math.prod(shape)
        if number == DT_STRING:
            result = np.empty(count, dtype=object)
            result[:] = [self._string(data + position * _STRING_BYTES) for position in range(count)]
            return result.reshape(shape)
        if number not in NUMPY_TYPES:
            raise ExportError(f"returns values of type {TYPE_NAMES.get(number, number)}, which cannot be served")
        dtype = NUMPY_TYPES[number]
        return np.frombuffer(ctypes.string_at(data, count * dtype.itemsize) if count else b"", dtype).reshape(shape)

    def _string(self, address: int) -> bytes:
        """The bytes of a TF_TString."""
        size = self.call("TF_StringGetSize", address)
        return ctypes.string_at(self.call("TF_StringGetDataPointer", address), size) if size else b""


class Session:
    """A loaded SavedModel.

    Args:
        library: the shared libraries.
        folder: the SavedModel.

    Raises:
        ExportError: the loader refuses the model.
    """

    def __init__(self, library: Library, folder: Path) -> None:
        self._library = library
        self._places: dict[str, tuple[int, int]] = {}
        self._graph = library.call("TF_NewGraph")
        tags = (ctypes.c_char_p * 1)(b"serve")
        options, meta_graph = library.call("TF_NewSessionOptions"), None
        self._session = library.checked(
            "TF_LoadSessionFromSavedModel", options, None, str(folder).encode(), tags, 1, self._graph, meta_graph
        )

    def run(self, feeds: Mapping[str, ArrayLike], fetches: Mapping[str, str]) -> Arrays:
        """Runs the graph once.

        Args:
            feeds: tensor name ("operation:index") -> array.
            fetches: any name -> tensor name.

        Returns:
            The fetched arrays by the names of `fetches`.
        """
        inputs, outputs = self._outputs(list(feeds)), self._outputs(list(fetches.values()))
        values = (_POINTER * len(feeds))()
        results = (_POINTER * len(fetches))()
        try:
            for position, value in enumerate(feeds.values()):
                values[position] = self._library.to_tensor(value)
            arguments = (inputs, values, len(feeds), outputs, results, len(fetches), None, 0, None)
            self._library.checked("TF_SessionRun", self._session, None, *arguments)
            return {name: self._library.to_array(results[position] or 0) for position, name in enumerate(fetches)}
        finally:
            for tensor in [*values, *results]:
                if tensor:
                    self._library.call("TF_DeleteTensor", tensor)

    def _outputs(self, names: list[str]) -> ctypes.Array[_Output]:
        """The C structures of tensors that are named "operation:index"."""
        result = (_Output * len(names))()
        for position, name in enumerate(names):
            if name not in self._places:
                self._places[name] = self._place(name)
            result[position] = _Output(*self._places[name])
        return result

    def _place(self, name: str) -> tuple[int, int]:
        """Address of a tensor's operation, and which of its outputs the tensor is."""
        operation, _, index = name.rpartition(":")
        address = self._library.call("TF_GraphOperationByName", self._graph, operation.encode())
        if not address:
            raise ExportError(f"the graph has no operation {operation!r}")
        return address, int(index)


def _find(folder: Path, stem: str) -> Path:
    """The library of that name on this platform: Linux `.so.2`, macOS `.2.dylib`."""
    for name in (f"{stem}.so.2", f"{stem}.2.dylib"):
        if (folder / name).is_file():
            return folder / name
    raise OSError(f"{stem} not found")
