"""Where manifests come from: files, folders, standard input, text, objects."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wavetank import _core
from wavetank.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What kubectl reads of a folder.
EXTENSIONS = (".json", ".yaml", ".yml")

#: The name of objects that come from no text, so that no line of theirs is ever named.
OBJECTS = "<object>"


@dataclass(frozen=True)
class Text:
    """A text to read, under the name messages give it."""

    name: str
    data: bytes | str


def find(source: Any, *, recursive: bool = False) -> Iterator[Text | _core.Document]:
    """Yield the texts and documents behind a source, files of a folder sorted as kubectl does.

    Raises
    ------
    FileNotFoundError
        When a path does not exist.
    ManifestError
        When a folder holds nothing to read.
    TypeError
        When the source is nothing that could be a manifest.
    """
    if isinstance(source, _core.Document):
        yield source
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield Text("<text>", bytes(source))
    elif isinstance(source, Mapping):
        yield Text(OBJECTS, _core.to_json(source))
    elif isinstance(source, os.PathLike):
        yield from _files(Path(source), recursive)
    elif isinstance(source, str):
        yield from _named(source, recursive)
    elif isinstance(source, (list, tuple)) or hasattr(source, "__iter__"):
        yield from _several(source, recursive)
    else:
        kind = type(source).__name__
        raise TypeError(f"a manifest is a path, text, a dict or a list of these, not {kind}")


def _named(source: str, recursive: bool) -> Iterator[Text]:
    """Tell text from a path."""
    if source == "-":
        yield Text("STDIN", sys.stdin.buffer.read())
    elif _is_text(source):
        yield Text("<text>", source)
    else:
        yield from _files(Path(source), recursive)


def _is_text(source: str) -> bool:
    if not source or "\n" in source or source.lstrip().startswith("{"):
        return True
    return (": " in source or source.endswith(":")) and not Path(source).exists()


def _several(sources: Any, recursive: bool) -> Iterator[Text | _core.Document]:
    """Yield what a list holds; objects next to each other are read in one go."""
    objects: list[Any] = []
    for source in sources:
        if source is sources:
            raise ValueError("a list of manifests that holds itself")
        if isinstance(source, Mapping):
            objects.append(source)
            continue
        yield from _together(objects)
        objects = []
        yield from find(source, recursive=recursive)
    yield from _together(objects)


def _together(objects: list[Any]) -> Iterator[Text]:
    if objects:
        yield Text(OBJECTS, "\n".join(_core.to_json(item) for item in objects))


def _files(path: Path, recursive: bool) -> Iterator[Text]:
    if not path.exists():
        if "://" in str(path) or str(path).startswith(("http:", "https:")):
            raise FileNotFoundError(
                f"{path} is not a file: wavetank reads nothing from the network"
            )
        raise FileNotFoundError(f'the path "{path}" does not exist')
    if not path.is_dir():
        yield Text(str(path), path.read_bytes())
        return
    files = list(_walk(path, recursive))
    if not files:
        listed = " ".join(EXTENSIONS)
        raise ManifestError(f"error reading [{path}]: recognized file extensions are [{listed}]")
    for file in files:
        yield Text(str(file), file.read_bytes())


def _walk(folder: Path, recursive: bool) -> Iterator[Path]:
    """Yield the manifests of a folder in the order of their names, folders among them."""
    for entry in sorted(folder.iterdir(), key=lambda entry: os.fsencode(entry.name)):
        if entry.is_dir():
            if recursive and not entry.is_symlink():
                yield from _walk(entry, recursive)
        elif entry.suffix in EXTENSIONS:
            yield entry
