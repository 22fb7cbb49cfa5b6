"""Lists of objects that show themselves as kubectl would print them."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING

from . import show
from .resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from .kinds import Kind


@contextlib.contextmanager
def without_gc() -> Iterator[None]:
    """Make many objects without Python looking for cycles among them meanwhile."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class ResourceList(list[Resource]):
    """What :meth:`Cluster.get` returns: a list that prints as ``kubectl get`` does.

    Parameters
    ----------
    items
        The objects.
    kind
        Their kind.
    now_ns
        The virtual time they were read at; ages count up to it.

    Examples
    --------
    >>> import wavetank as wt
    >>> cluster = wt.Cluster()
    >>> cluster.get("namespaces")
    NAME              STATUS   AGE
    default           Active   0s
    kube-node-lease   Active   0s
    kube-public       Active   0s
    kube-system       Active   0s
    """

    def __init__(self, items: Iterable[Mapping[str, Any]], kind: Kind, now_ns: int) -> None:
        super().__init__(Resource(item) for item in items)
        self.kind = kind
        self.now_ns = now_ns

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        from .printing.table import Options, cells  # noqa: PLC0415 - only when it is looked at

        shown = [at for at in show.chosen(len(self)) if at is not None]
        spread = len({item.namespace for item in self}) > 1
        options = Options(namespaces=spread and self.kind.namespaced)
        headings, rows = cells(self.kind, [self[at] for at in shown], self.now_ns, options)
        if len(shown) < len(self):
            rows.insert(show.FIRST, [show.GAP, *[""] * (len(headings) - 1)])
        return headings, rows

    def __repr__(self) -> str:
        if not self:
            return f"no {self.kind.plural}"
        return show.as_text(*self._cells(), len(self))

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>no {self.kind.plural}</p>"
        return show.as_html(*self._cells(), len(self))
