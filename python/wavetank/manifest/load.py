"""Reading manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank import _core

from . import sources

if TYPE_CHECKING:
    from pathlib import Path


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
            documents += _core.read_manifest(found.data, found.name, bytes_max=bytes_max)
        else:
            documents.append(found)
    return documents


def is_manifest(path: Path) -> bool:
    """Tell whether a folder's file would be read."""
    return path.suffix in sources.EXTENSIONS
