"""What Kubernetes accepts and a planner would want to know.

Nothing here refuses anything. :func:`about` looks at what was just applied, and at the rest of
the cluster only where a reference may lead there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wavetank import _core

from .applied import AppliedObject, Notice, Place
from .labelled import Labelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Object = Mapping[str, Any]

#: Where each kind keeps the template of its pods.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Deployment": ("spec", "template"),
    "Job": ("spec", "template"),
    "PodTemplate": ("template",),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
}

_WORKLOADS = (
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "replicasets.apps",
    "replicationcontrollers",
    "jobs.batch",
    "cronjobs.batch",
)

#: Labels that controllers give to pods; no template has them.
_GIVEN = {
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
}
#: Pods read at a time where a port is looked for.
_PODS = 64
#: Kinds whose objects say what labels pods have.
_WITH_PODS = {"Pod", *TEMPLATES}


def template_of(item: Object) -> Object | None:
    """Return the pod template of a workload, or a pod itself; ``None`` for other kinds."""
    if item.get("kind") == "Pod":
        return item
    found: Any = item if item.get("kind") in TEMPLATES else None
    for key in TEMPLATES.get(str(item.get("kind")), ()):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def missing_requests(item: Object, resource: str) -> list[str]:
    """Return the containers of a workload that request none of a resource.

    A limit counts as a request, as it does in Kubernetes. Such containers weigh nothing when
    the scheduler packs nodes.
    """
    spec = _at(template_of(item) or {}, "spec")
    names = []
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        resources = container.get("resources") or {}
        asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
        if resource not in asked:
            names.append(str(container.get("name")))
    return names


def about(
    world: _core.World, documents: Sequence[_core.Document], namespace: str | None = None
) -> list[Notice]:
    """Return what deserves a second look among documents a cluster has just taken."""
    scene = _Scene(world, documents, namespace)
    notices = []
    for document in documents:
        check = _CHECKS.get(document.text("kind") or "")
        if check is None:
            continue
        notices += [
            Notice(message, Place.of(document, field))
            for field, message in check(document.object(), scene)
        ]
    return notices


def repeated(applied: Iterable[AppliedObject]) -> list[Notice]:
    """Return which objects were given more than once."""
    first: dict[tuple[str, str | None], Place] = {}
    notices = []
    for item in applied:
        place = first.setdefault((item.name, item.namespace), item.place)
        if place is not item.place:
            message = f"{item.name} is given more than once, first at {place}; the last counts"
            notices.append(Notice(message, item.place))
    return notices


class _Scene:
    """What was applied together, and the cluster behind it."""

    def __init__(
        self, world: _core.World, documents: Sequence[_core.Document], namespace: str | None
    ) -> None:
        self.world = world
        self._documents = documents
        self._namespace = namespace or "default"
        self._applied: dict[str, Labelled] | None = None
        self._present: dict[str, Labelled] = {}
        self._services: dict[tuple[str, str], Object | None] = {}

    def namespace(self, item: Object) -> str:
        return str(_at(item, "metadata").get("namespace") or self._namespace)

    def applied_labels(self, namespace: str) -> Labelled:
        """Labels of the pods that what was applied to a namespace describes."""
        if self._applied is None:
            self._applied = {}
            for document in self._documents:
                if document.text("kind") in _WITH_PODS:
                    item = document.object()
                    place = self._applied.setdefault(self.namespace(item), Labelled())
                    place.add(_pod_labels(item), ports_of(item))
        return self._applied.get(namespace) or Labelled()

    def present_labels(self, namespace: str) -> Labelled:
        """Labels of the pods that the workloads of a namespace make."""
        if namespace not in self._present:
            present = self._present[namespace] = Labelled()
            for resource in _WORKLOADS:
                kind = self.world.resolve(resource)[0]["id"]
                for item in self.world.list(kind, namespace)[0]:
                    present.add(_pod_labels(item), ports_of(item))
        return self._present[namespace]

    def selects_a_pod(self, namespace: str, selector: Any) -> bool:
        """Whether a label selector selects a pod of the namespace, there or to come."""
        selector = _without_given(selector)
        text = _core.canonical_selector(selector)

        def matches(labels: Mapping[str, str]) -> bool:
            return _core.selector_matches(text, dict(labels))

        required = selector.get("matchLabels") or {}
        if self.applied_labels(namespace).any(required, matches):
            return True
        pods = self.world.resolve("pods")[0]["id"]
        if self.world.matching(pods, namespace, text).size:
            return True
        return self.present_labels(namespace).any(required, matches)

    def has_port(self, namespace: str, selector: Mapping[str, str], port: tuple[str, str]) -> bool:
        """Whether a pod that labels select, there or to come, has a container port."""
        labels = {key: value for key, value in selector.items() if key not in _GIVEN}
        if self.applied_labels(namespace).has_port(labels, port):
            return True
        if self.present_labels(namespace).has_port(labels, port):
            return True
        pods = self.world.resolve("pods")[0]["id"]
        text = _core.canonical_selector({"matchLabels": selector})
        found = self.world.matching(pods, namespace, text).tolist()
        parts = (found[at : at + _PODS] for at in range(0, len(found), _PODS))
        return any(port in ports_of(pod) for part in parts for pod in self.world.get_many(part))

    def service(self, namespace: str, name: str) -> Object | None:
        """Return a Service of the cluster, or one of those that a dry run would apply."""
        if not self._services:
            for document in self._documents:
                if document.text("kind") == "Service":
                    item = document.object()
                    key = (self.namespace(item), str(_at(item, "metadata").get("name")))
                    self._services[key] = item
        key = (namespace, name)
        if key not in self._services:
            kind = self.world.resolve("services")[0]["id"]
            there = self.world.find(kind, name, namespace) is not None
            self._services[key] = self.world.get(kind, name, namespace) if there else None
        return self._services[key]


def ports_of(item: Object) -> set[tuple[str, str]]:
    """Return names and protocols of the container ports a Service may name as its target."""
    spec = _at(template_of(item) or {}, "spec")
    sidecars = (one for one in spec.get("initContainers") or () if "restartPolicy" in one)
    containers = [*sidecars, *(spec.get("containers") or ())]
    ports = (port for one in containers for port in one.get("ports") or ())
    return {(port["name"], port.get("protocol") or "TCP") for port in ports if port.get("name")}


def _without_given(selector: Any) -> dict[str, Any]:
    """Return what a selector asks of the labels that templates have."""
    labels = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or ()
    return {
        "matchLabels": {key: value for key, value in labels.items() if key not in _GIVEN},
        "matchExpressions": [item for item in expressions if item.get("key") not in _GIVEN],
    }


def _service(item: Object, scene: _Scene) -> Iterator[tuple[str, str]]:
    selector = _at(item, "spec").get("selector")
    if not selector or _at(item, "spec").get("type") == "ExternalName":
        return
    if not scene.selects_a_pod(scene.namespace(item), {"matchLabels": selector}):
        text = _core.canonical_selector({"matchLabels": selector})
        yield "spec.selector", f"{_title(item)} selects no pod: nothing has the labels {text}"
        return
    for at, port in enumerate(_at(item, "spec").get("ports") or ()):
        target, protocol = port.get("targetPort"), port.get("protocol") or "TCP"
        if isinstance(target, str) and not scene.has_port(
            scene.namespace(item), selector, (target, protocol)
        ):
            fault = f'no pod it selects has a {protocol} port named "{target}"'
            title = f"{_title(item)} port {port.get('port')}"
            yield f"spec.ports[{at}].targetPort", f"{title} leads nowhere: {fault}"


def _ingress(item: Object, scene: _Scene) -> Iterator[tuple[str, str]]:
    place, said = scene.namespace(item), set()
    for field, backend in _backends(_at(item, "spec")):
        name, port = str(backend.get("name")), _at(backend, "port")
        service = scene.service(place, name)
        if service is None:
            fault = f"there is no Service {place}/{name}"
        elif not _offers(service, port):
            wanted = f'named "{port["name"]}"' if port.get("name") else str(port.get("number"))
            fault = f"Service {place}/{name} has no port {wanted}"
        else:
            continue
        if fault not in said:
            said.add(fault)
            yield field, f"{_title(item)} leads nowhere: {fault}"


def _backends(spec: Object) -> Iterator[tuple[str, Object]]:
    """Yield each Service an Ingress names, with the field that names it."""
    found = [("spec.defaultBackend", _at(spec, "defaultBackend"))]
    for rule_at, rule in enumerate(spec.get("rules") or ()):
        for at, path in enumerate(_at(rule, "http").get("paths") or ()):
            found.append((f"spec.rules[{rule_at}].http.paths[{at}].backend", _at(path, "backend")))
    yield from ((field, _at(one, "service")) for field, one in found if one.get("service"))


def _offers(service: Object, port: Object) -> bool:
    """Whether a Service has the port of a backend; names outside take any."""
    spec = _at(service, "spec")
    if spec.get("type") == "ExternalName":
        return True
    by = "name" if port.get("name") else "port"
    wanted = port.get("name") or port.get("number")
    return any(one.get(by) == wanted for one in spec.get("ports") or ())


def _disruption_budget(item: Object, scene: _Scene) -> Iterator[tuple[str, str]]:
    selector = _at(item, "spec").get("selector")
    if selector and not scene.selects_a_pod(scene.namespace(item), selector):
        text = _core.canonical_selector(selector)
        yield "spec.selector", f"{_title(item)} protects no pod: nothing has the labels {text}"


def _autoscaler(item: Object, scene: _Scene) -> Iterator[tuple[str, str]]:
    target = _at(item, "spec", "scaleTargetRef")
    version, kind, name = (str(target.get(key, "")) for key in ("apiVersion", "kind", "name"))
    found = scene.world.kind_of(version, kind)
    place = scene.namespace(item)
    if found is None or scene.world.find(found["id"], name, place) is None:
        yield (
            "spec.scaleTargetRef",
            f"{_title(item)} scales nothing: there is no {kind} {place}/{name}",
        )


def _node(item: Object, _: _Scene) -> Iterator[tuple[str, str]]:
    status = _at(item, "status")
    allocatable = status.get("allocatable") or status.get("capacity") or {}
    for resource in ("cpu", "memory", "pods"):
        quantity = allocatable.get(resource, 0)
        if _core.quantity_milli_value(quantity) > 0:
            continue
        effect = "no pod fits" if resource == "pods" else "no pod that requests any fits"
        yield "status.allocatable", f"{_title(item)} has no allocatable {resource}: {effect}"


_CHECKS: dict[str, Callable[[Object, _Scene], Iterator[tuple[str, str]]]] = {
    "HorizontalPodAutoscaler": _autoscaler,
    "Ingress": _ingress,
    "Node": _node,
    "PodDisruptionBudget": _disruption_budget,
    "Service": _service,
}


def _title(item: Object) -> str:
    return f"{str(item['kind']).lower()}/{_at(item, 'metadata').get('name')}"


def _pod_labels(item: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = _at(template_of(item) or {}, "metadata", "labels")
    return labels


def _at(item: Any, *path: str) -> Any:
    """Return the map down a path; an empty one where there is none."""
    for key in path:
        item = item.get(key) if isinstance(item, Mapping) else None
    return item if isinstance(item, Mapping) else {}
