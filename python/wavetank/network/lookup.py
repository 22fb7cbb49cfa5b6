"""Names of hosts: nodes by their names, everything else as the source's resolver finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .names import resolve
from .places import locate

if TYPE_CHECKING:
    from wavetank.api import Api

    from .places import Place


def look_up(api: Api, host: str, source: Place) -> tuple[list[str], str]:
    """Return the addresses of a host, and where they come from if that is not DNS."""
    asker = f"pod/{source.namespace}/{source.name}" if source.kind == "pod" else str(source)
    found = resolve(api, host, None, asker, None, "glibc").addresses
    if found:
        return list(found), ""
    node = api.find("node", host)
    if node is not None:
        return list(locate(api, f"node/{host}").addresses), "the name of a node"
    return [], ""
