"""Giving up a port of the node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank.explain.change import Change, Patch
from wavetank.explain.words import host_ports, ports_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wavetank.explain.facts import No
    from wavetank.explain.trials import Case


def fixes(case: Case, at: int, no: No) -> Iterator[Change]:  # noqa: ARG001 - one shape for all
    """Yield the host ports that are taken given up."""
    if case.spec.get("hostNetwork"):
        # There every port is the node's.
        return
    paths = [path for bit, (path, _) in enumerate(ports_of(case.spec)) if no.detail >> bit & 1]
    if not paths:
        return
    taken = host_ports(case, no.detail)
    operations = [{"op": "remove", "path": f"{path}/hostPort"} for path in paths]
    parts = paths[0].split("/")
    yield Change(
        kind="port",
        text=f"give up host port {' and '.join(taken)}",
        target=case.target,
        field=f"spec.{parts[2]}[{parts[3]}].ports[{parts[5]}].hostPort",
        old=", ".join(taken),
        patches=(Patch(case.target, case.namespace, operations, anew=True),),
        size=len(paths),
    )
