"""Ingress controllers: which one serves an Ingress, at which addresses, and its status.

A controller is deployed when a Service of type LoadBalancer or NodePort carries its name in the
label ``app.kubernetes.io/name``, or when its IngressClass names that Service in an annotation.
Whatever is deployed, Ingresses nobody serves are served by one that is built in: it has no pods
and stands at an address outside the cluster, unless its IngressClass says another.

* ``wavetank.dev/service``: ``NAMESPACE/NAME`` of the Service in front of the controller
* ``wavetank.dev/addresses``: addresses of the built-in one, with commas
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .base import DONE, Answer, Context, Controller, Object, Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wavetank import _core

SERVICE_ANNOTATION = "wavetank.dev/service"
ADDRESSES_ANNOTATION = "wavetank.dev/addresses"
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_NAME = "app.kubernetes.io/name"
_COMPONENT = "app.kubernetes.io/component"

#: Where the built-in controller stands, in a block kept for documentation.
BUILT_IN_ADDRESSES = ("192.0.2.80",)


@dataclass(frozen=True)
class Served:
    """An ingress controller.

    Attributes
    ----------
    name
        What it is called: ``k8s.io/ingress-nginx``, or ``built-in``.
    service
        Namespace and name of the Service in front of it; ``None`` for one without pods.
    points
        What it writes to the status of Ingresses: ``{"ip": ...}`` or ``{"hostname": ...}``.
    """

    name: str
    service: tuple[str, str] | None = None
    points: tuple[tuple[tuple[str, str], ...], ...] = ()

    @property
    def addresses(self) -> list[str]:
        """The addresses requests are sent to."""
        return [value for point in self.points for key, value in point if key == "ip"]

    def status(self) -> Object:
        """Return the status of its Ingresses."""
        return {"loadBalancer": {"ingress": [dict(point) for point in self.points]}}


@dataclass
class Controllers:
    """Who serves which Ingress, as the cluster is now."""

    by_class: dict[str, Served] = field(default_factory=dict)
    #: Whether an Ingress without a class is served: as long as there are no classes.
    unclassed: bool = True

    def of(self, ingress: Object) -> Served | None:
        """Return who serves an Ingress; nobody when classes exist and it has none."""
        name = class_of(ingress)
        if name is None:
            return BUILT_IN if self.unclassed else None
        return self.by_class.get(name, BUILT_IN)

    def all(self) -> list[Served]:
        """Return every controller, each once; the built-in one last."""
        return list(dict.fromkeys([*self.by_class.values(), BUILT_IN]))


def _ip_points(addresses: Iterable[str]) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple((("ip", address),) for address in addresses)


BUILT_IN = Served("built-in", None, _ip_points(BUILT_IN_ADDRESSES))


def class_of(ingress: Object) -> str | None:
    """Return the class an Ingress names, in its spec or as it was done before."""
    named: str | None = ingress["spec"].get("ingressClassName")
    if named is None:
        named = (ingress["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
    return named


def objects(world: _core.World, resource: str) -> list[Object]:
    """Return all objects of a kind."""
    kind = world.resolve(resource)[0]["id"]
    found = world.get_many(world.matching(kind).tolist())
    return [item for item in found if item is not None]


def controllers(world: _core.World) -> Controllers:
    """Return who serves which Ingress."""
    classes = objects(world, "ingressclasses")
    if not classes:
        return Controllers()
    fronts = [one for one in objects(world, "services") if _is_front(one)]
    by_name = {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in fronts}
    known = {one["metadata"]["name"]: _served(one, fronts, by_name) for one in classes}
    return Controllers(known, unclassed=False)


def _is_front(service: Object) -> bool:
    return service["spec"].get("type") in {"LoadBalancer", "NodePort"}


def _served(
    item: Object, fronts: Sequence[Object], by_name: dict[tuple[str, str], Object]
) -> Served:
    marks = item["metadata"].get("annotations") or {}
    controller = item["spec"].get("controller", "")
    namespace, _, name = marks.get(SERVICE_ANNOTATION, "").rpartition("/")
    front = by_name.get((namespace or "default", name)) or _by_label(controller, fronts)
    if front is not None:
        meta = front["metadata"]
        return Served(controller, (meta["namespace"], meta["name"]), _points(front))
    given = [one.strip() for one in marks.get(ADDRESSES_ANNOTATION, "").split(",") if one.strip()]
    return Served("built-in", None, _ip_points(given)) if given else BUILT_IN


def _by_label(controller: str, fronts: Sequence[Object]) -> Object | None:
    words = {word for part in controller.split("/") for word in (part, part.split(".", 1)[0])}
    found = []
    for service in fronts:
        labels = service["metadata"].get("labels") or {}
        if labels.get(_NAME) in words:
            found.append((labels.get(_COMPONENT) != "controller", service))
    found.sort(
        key=lambda one: (one[0], one[1]["metadata"]["namespace"], one[1]["metadata"]["name"])
    )
    return found[0][1] if found else None


def _points(service: Object) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Return where a Service is reached: as ingress-nginx publishes it."""
    spec = service["spec"]
    external = list(spec.get("externalIPs") or ())
    if spec["type"] != "LoadBalancer":
        return _ip_points(external or [spec["clusterIP"]])
    entries = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    points = [
        tuple((key, one[key]) for key in ("ip", "hostname") if one.get(key)) for one in entries
    ]
    return (*points, *_ip_points(external))


class IngressController(Controller):
    """Writes the addresses of whoever serves an Ingress into its status."""

    name = "ingress-controller"

    def watches(self) -> Sequence[Watch]:
        """Watch Ingresses, their classes, and Services that may stand before a controller."""
        return (Watch("ingresses"), Watch("ingressclasses"), Watch("services"))

    def sync(self, context: Context, key: int) -> Answer | None:
        """Bring one Ingress, or all of them, up to date."""
        return self.sync_batch(context, [key])[0]

    def sync_batch(self, context: Context, keys: Sequence[int]) -> list[Answer]:
        """Bring the Ingresses among the keys up to date; all when something else changed."""
        kind = context.kind("ingresses")
        every = context.world.matching(kind).tolist()
        if every:
            changed = set(keys) & set(every)
            others = len(changed) < len(set(keys))
            serving = controllers(context.world)
            self._write(context, every if others else sorted(changed), serving)
        return [DONE] * len(keys)

    def _write(self, context: Context, keys: Sequence[int], serving: Controllers) -> None:
        for key, item in zip(keys, context.world.get_many(keys), strict=True):
            if item is None or "deletionTimestamp" in item["metadata"]:
                continue
            served = serving.of(item)
            wanted = [] if served is None else served.status()["loadBalancer"]["ingress"]
            now = (item.get("status") or {}).get("loadBalancer", {}).get("ingress") or []
            if now != wanted:
                context.world.set_status(
                    key, {"loadBalancer": {"ingress": wanted} if wanted else {}}
                )
