"""A cluster to plan on: from node pools, manifests and dumps."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wavetank.cluster import Cluster
from wavetank.errors import ApplyError, WavetankError
from wavetank.nodes import add_pool, parse
from wavetank.nodes.add import MANIFESTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from wavetank import _core
    from wavetank.catalogue import Catalogue
    from wavetank.latencies import Latencies
    from wavetank.manifest import Applied
    from wavetank.network import Ranges

#: Kinds that live in no namespace and yet come with most manifests.
_NAMESPACE = "Namespace"


class InputError(WavetankError, ValueError):
    """Inputs that make no plan."""


@dataclass
class Inputs:
    """A cluster and how it came about.

    Attributes
    ----------
    cluster
        The nodes and the objects of the manifests; no time has passed.
    applied
        What the manifests created.
    refused
        A sentence for every object that was refused.
    warnings
        What was accepted and deserves a second look.
    notes
        What was done beyond the manifests.
    """

    cluster: Cluster
    applied: list[Any] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def build(
    sources: Sequence[Any],
    *,
    nodes: Sequence[str] = (),
    cluster: str | Path | None = None,
    catalogue: Catalogue | str | Path | None = None,
    namespace: str | None = None,
    seed: int = 0,
    strict: bool = False,
    recursive: bool = False,
    latencies: Latencies | str = "ideal",
    **ranges: Unpack[Ranges],
) -> Inputs:
    """Return a cluster with these nodes and objects.

    Parameters
    ----------
    sources
        Manifests: files, folders, ``"-"``, text.
    nodes
        Pools as the command line takes them, or files with Node manifests.
    cluster
        A saved cluster, or a dump such as ``kubectl get -A -o yaml`` writes, to start from.
    catalogue
        A table of machines of your own.
    namespace
        The namespace of objects that name none.
    seed, latencies
        See :class:`wavetank.Cluster`; a dump has its own.
    strict
        Refuse unknown and duplicate fields.
    recursive
        Read folders within folders too.
    **ranges
        Where addresses of a new cluster come from; see :class:`wavetank.Cluster`.

    Raises
    ------
    FileNotFoundError, ManifestError, PoolError, CatalogueError
        When an input cannot be read.
    InputError
        When a source holds no objects, or there is no node to put anything on.
    """
    from wavetank.manifest import load  # noqa: PLC0415 - only where manifests are read

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Everything is read before anything is done.
        documents = []
        for source in sources:
            if source == "":
                raise FileNotFoundError('the path "" does not exist')
            found = load(source, recursive=recursive)
            if not found:
                raise InputError(f"no objects in {source}")
            documents += found
        namespace = namespace or None
        start = Cluster(seed=seed, **ranges) if cluster is None else Cluster.load(cluster)
        inputs = Inputs(start, notes=list(start.notes))
        for text in nodes:
            _add_nodes(start, text, catalogue)
        if cluster is None:
            # The nodes are up when the manifests come.
            start.run(until=0)
            start.latencies = latencies
        inputs.notes += create_namespaces(start, documents, namespace)
        if documents:
            _apply(inputs, documents, namespace, strict)
    inputs.warnings += [str(item.message) for item in caught]
    if not len(start.keys("nodes")):
        raise InputError(
            "there are no nodes: say which, for example --nodes 3xm5.large, or give Node "
            "manifests or --cluster"
        )
    return inputs


def _add_nodes(cluster: Cluster, text: str, catalogue: Catalogue | str | Path | None) -> None:
    if text.lower().endswith(MANIFESTS):
        cluster.add_nodes(Path(text))
    else:
        add_pool(cluster.world, parse(text), catalogue)


def _apply(
    inputs: Inputs, documents: Sequence[_core.Document], namespace: str | None, strict: bool
) -> None:
    applied: Applied
    try:
        applied = inputs.cluster.apply(list(documents), namespace=namespace, strict=strict)
    except ApplyError as error:
        applied = error.applied
        inputs.refused += [str(failure) for failure in error.failures]
    inputs.applied += applied
    inputs.warnings += [str(notice) for notice in applied.warnings]


def create_namespaces(
    cluster: Cluster, documents: Sequence[_core.Document], namespace: str | None
) -> list[str]:
    """Create the namespaces that manifests use and nobody creates; return notes about it."""
    own = {item.text("metadata", "name") for item in documents if item.text("kind") == _NAMESPACE}
    used = {item.text("metadata", "namespace") or namespace for item in documents}
    kind = cluster.kind("namespaces").id
    missing = sorted(name for name in used - own if name and cluster.world.find(kind, name) is None)
    for name in missing:
        cluster.create({"apiVersion": "v1", "kind": _NAMESPACE, "metadata": {"name": name}})
    if not missing:
        return []
    names = ", ".join(missing)
    plural = "namespaces" if len(missing) > 1 else "namespace"
    return [f"created the {plural} {names}, which the manifests use and do not create"]
