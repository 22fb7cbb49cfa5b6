"""Reading manifests."""

from __future__ import annotations

from typing import Any

from wavetank import _core
from wavetank.errors import ManifestError

from . import sources


def load(
    source: Any, *, recursive: bool = False, bytes_max: int | None = None
) -> list[_core.Document]:
    """Read the objects of a manifest without changing any cluster.

    Parameters
    ----------
    source
        A file or folder (as text or ``Path``), ``"-"`` for standard input, YAML or JSON text or
        bytes, a dict, a document, or a list of any of these. Text is told from a path by a line
        break, a leading ``{`` or a colon followed by a space. Of a folder the files that end in
        ``.yaml``, ``.yml`` or ``.json`` are read, in the order of their names.
    recursive
        Read folders within folders too.
    bytes_max
        The largest text to read, in bytes; 1 GiB when ``None``.

    Returns
    -------
    list of Document
        One per object, in order: ``List`` objects are taken apart, empty documents left out. A
        document knows its ``source``, ``number`` and the ``line()`` of each field.

    Raises
    ------
    FileNotFoundError
        When a path does not exist.
    ManifestError
        When a text cannot be read; nothing of the source is returned then.

    Examples
    --------
    >>> from wavetank.manifest import load
    >>> [document.text("kind") for document in load('''
    ... apiVersion: v1
    ... kind: Namespace
    ... metadata: {name: shop}
    ... ''')]
    ['Namespace']
    """
    documents: list[_core.Document] = []
    for found in sources.find(source, recursive=recursive):
        if isinstance(found, sources.Text):
            documents += _read(found, bytes_max)
        else:
            documents.append(found)
    return documents


def _read(text: sources.Text, bytes_max: int | None) -> list[_core.Document]:
    try:
        return _core.read_manifest(text.data, text.name, bytes_max=bytes_max)
    except ManifestError as error:
        if error.line and _is_indented_by_tabs(text.data, error.line):
            error.args = (f"{error}: a tab cannot indent YAML",)
        raise


def _is_indented_by_tabs(data: str | bytes, line: int) -> bool:
    lines = (data.encode() if isinstance(data, str) else data).split(b"\n", line)
    found = lines[line - 1] if line <= len(lines) else b""
    return b"\t" in found[: len(found) - len(found.lstrip())]
