"""A page of one file: models that run in the browser that shows it, by ONNX Runtime's WebAssembly, without a server.

It holds the tabs of the playground, files of `export --portable onnx`, and the runtime: it can be opened from a disk,
sent by mail, or put on any host of static files. Nothing is fetched: the page forbids it.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from rnnapps.atomic import atomic_file
from rnnapps.errors import ConfigError, ExportError
from rnnapps.export.manifest import EXTRA
from rnnapps.export.versions import find_version
from rnnapps.playground.tabs import tab_folder
from rnnapps.playground.told import told_model
from rnnapps.portable.leaving import STEP
from rnnapps.portable.listing import PORTABLE, read_listing

__all__ = ["write_page"]

FILES = Path(__file__).with_name("files")
RUNTIME, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
ALONE = re.compile(r"^export const alone = (\[.*\]);", re.MULTILINE)
"""What the tab of a pipeline says that needs nothing but steps: the inputs that these must have."""

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data: blob: 'wasm-unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; media-src data: blob:; base-uri 'none'; form-action 'none'"
)
_IMPORT = re.compile(r'(\bfrom |\bimport )"(\.[^"]+)"')


def write_page(exports: Sequence[Path], runtime: Path, to: Path) -> dict[str, int]:
    """Writes the page.

    Args:
        exports: versions, or folders of versions, that were exported with `--portable onnx`.
        runtime: the folder `dist` of the npm package onnxruntime-web.
        to: the page.

    Returns:
        Name of each model -> bytes that it takes in the page.

    Raises:
        ConfigError: the folder holds no such runtime, two models have one name, or the page cannot be written.
        ExportError: a model has no step for ONNX Runtime, or its tab needs a server.
    """
    library = {name: _read(runtime / name) for name in (RUNTIME, WASM)}
    models = {}
    for path in exports:
        version = find_version(path)
        name = version.resolve().parent.name
        if name in models:
            raise ConfigError(f"{path}: another model of the page is called {name}, too; rename one of the folders")
        models[name] = _given(version)
    page = _page(models, library)
    try:
        with atomic_file(to) as file:
            file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{to}: cannot be written ({error.strerror or error}); name another file") from error
    return {name: len(_json(model)) for name, model in models.items()}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        told = "name the folder `dist` of the npm package onnxruntime-web (npm install onnxruntime-web)"
        raise ConfigError(f"{path}: cannot be read; {told}") from None


def _given(version: Path) -> dict[str, Any]:
    """What the page is told of a model, its step among it."""
    told = told_model(version)
    pipeline = (told["signatures"] or {}).get("pipeline", "")
    folder = tab_folder(pipeline)
    reads = ALONE.search((folder / "tab.js").read_text(encoding="utf-8")) if folder is not None else None
    if reads is None:
        raise ExportError(f"{version}: the page of {pipeline or 'this model'} needs a server; serve it: rnnapps serve")
    listing = read_listing(version / EXTRA)[PORTABLE].get(STEP, {"files": []})
    file = next((own["files"][0] for own in listing["files"] if own["format"] == "onnx"), None)
    if file is None:
        raise ExportError(f"{version}: holds no step for ONNX Runtime; export the model with --portable onnx")
    missing = [name for name in json.loads(reads[1]) if name not in listing["inputs"]]
    if missing:
        needed = f"needs a step that reads {', '.join(missing)}"
        raise ExportError(f"{version}: the page of {pipeline} {needed}; serve it: rnnapps serve")
    content = (version / EXTRA / PORTABLE / "onnx" / file).read_bytes()
    step = {name: listing[name] for name in ("inputs", "outputs", "states", "words")}
    entry = {"version": int(version.name), "tab": True, "step": step | {"first": _first(listing)}}
    return {**told, **entry, "onnx": _packed(content)}


def _first(listing: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The states before the first step, flat: zeros where nothing is said."""
    shapes = {name: listing["inputs"][name]["shape"] for name in listing["states"]}
    return {name: listing["first"].get(name, [0] * math.prod(shape)) for name, shape in shapes.items()}


def _page(models: Mapping[str, Any], library: Mapping[str, bytes]) -> str:
    """The page: that of the playground, with all that it loads inside."""
    icon = _url("image/svg+xml", (FILES / "icon.svg").read_bytes())
    style = (FILES / "style.css").read_text(encoding="utf-8")
    imports = {"onnxruntime-web": _url("text/javascript", library[RUNTIME])}
    imports |= {name: _url("text/javascript", text.encode()) for name, text in _modules(models)}
    inside = (
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f"<style>{style}</style>",
        f'<script type="importmap">{json.dumps({"imports": imports})}</script>',
        f'<script type="application/json" id="given">{_json(models)}</script>',
        f'<script type="text/plain" id="runtime">{_packed(library[WASM])}</script>',
        *(
            f'<script type="application/json" id="beside-{name}">{_json(text)}</script>'
            for name, text in _texts(models)
        ),
        '<script type="module">import "files/main.js";</script>',
    )
    page = (FILES / "index.html").read_text(encoding="utf-8")
    page = re.sub(
        r'<link rel="stylesheet".*?>\s*<script.*?</script>', lambda _: "\n    ".join(inside), page, flags=re.S
    )
    return page.replace("files/icon.svg", icon).replace("Asking the server for its models…", "")


def _texts(models: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name -> text of each table that lies beside a tab, as an example."""
    for folder in _folders(models).values():
        for path in sorted(folder.glob("*.csv")):
            yield path.name, path.read_text(encoding="utf-8")


def _folders(models: Mapping[str, Any]) -> dict[str, Path]:
    """Pipeline -> the folder of its tab, which `_given` has looked into."""
    pipelines = {model["signatures"]["pipeline"] for model in models.values()}
    folders = {name: tab_folder(name) for name in sorted(pipelines)}
    return {name: folder for name, folder in folders.items() if folder is not None}


def _modules(models: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name -> text of each module; `alone.js` stands for `ask.js`, which asks a server."""
    places = {f"files/{path.name}": path for path in FILES.glob("*.js")} | {"files/ask.js": FILES / "alone.js"}
    del places["files/alone.js"]
    for pipeline, folder in _folders(models).items():
        places |= {f"tabs/{pipeline}/{path.name}": path for path in folder.glob("*.js")}
    for name, path in sorted(places.items()):
        yield name, _IMPORT.sub(_absolute(name), path.read_text(encoding="utf-8"))


def _absolute(name: str) -> Any:
    """Names a module that another one imports as the page does, which has no folders."""

    def found(match: re.Match[str]) -> str:
        return f'{match[1]}"{posixpath.normpath(posixpath.join(posixpath.dirname(name), match[2]))}"'

    return found


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _json(values: object) -> str:
    """JSON that cannot end the element it stands in."""
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY).decode().replace("<", "\\u003c")
