"""Names of hosts: nodes by their names, everything else as the source's resolver finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .places import locate

if TYPE_CHECKING:
    from wavetank.api import Api

    from .places import Place


def look_up(api: Api, host: str, source: Place) -> tuple[list[str], str]:
    """Return the addresses of a host, and where they come from if that is not DNS."""
    found = _resolved(api, host, source)
    if found:
        return found, ""
    node = api.find("node", host)
    if node is not None:
        return list(locate(api, f"node/{host}").addresses), "the name of a node"
    return [], ""


def _resolved(api: Any, host: str, source: Place) -> list[str]:
    if not hasattr(api, "resolve"):
        return _service_names(api, host, source)
    asker = f"pod/{source.namespace}/{source.name}" if source.kind == "pod" else str(source)
    return list(api.resolve(host, None, source=asker).addresses)


def _service_names(api: Api, host: str, source: Place) -> list[str]:
    if source.kind != "pod":
        return []
    labels = host.removesuffix(".cluster.local").removesuffix(".svc").split(".")
    if len(labels) > 2:
        return []
    namespace = labels[1] if len(labels) == 2 else source.namespace
    service = api.find("service", labels[0], namespace=namespace)
    found = service["spec"].get("clusterIPs", ()) if service else ()
    return [one for one in found if one != "None"]
