"""One change that would let a pod in, and how it is made."""

from __future__ import annotations

import copy
import json
import shlex
from dataclasses import dataclass, replace
from dataclasses import field as column
from typing import TYPE_CHECKING, Any

from wavetank.errors import ApiError

if TYPE_CHECKING:
    from wavetank.cluster import Cluster

Object = dict[str, Any]
Operation = dict[str, Any]

#: Kinds of changes, the least intrusive first: what only the pod gives up, then what a node
#: does, then what costs money, then what weakens a rule, then what harms others.
KINDS = (
    "gate",
    "scheduler",
    "request",
    "toleration",
    "spread",
    "selector",
    "uncordon",
    "node-label",
    "taint",
    "node",
    "port",
    "affinity",
    "anti-affinity",
    "volume",
    "priority",
)
#: A request that would lose more than this share of itself comes after the one-line changes.
_MUCH = 0.5
#: What the API server fills in, or forgets, when an object is made anew.
_OWN = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink")


@dataclass(frozen=True)
class Patch:
    """A change of one object.

    Attributes
    ----------
    target
        The object: ``pod/web-0``.
    namespace
        Where it is; empty for what has no namespace.
    operations
        A JSON patch, RFC 6902, of the object.
    anew
        Whether the API server refuses to change the field in place, so that the object has to
        be deleted and made anew, as the templates of workloads do it.
    """

    target: str
    namespace: str
    operations: list[Operation]
    anew: bool = False


@dataclass(frozen=True)
class Change:
    """A change that was tried on a fork and let the pod in.

    Attributes
    ----------
    kind
        One of :data:`KINDS`; of two changes together, both with a ``+`` between.
    text
        What to do, in one line.
    target, field
        The object and the path in it: ``pod/web-0``, ``spec.containers[0].resources...``.
    old, new
        The value there before and after; ``None`` for none.
    node
        Where the pod then goes.
    lets_in, pods
        How many of the pods that are in the same position it lets in, tried one after the other.
    patches
        The same for machines; see :meth:`apply`.
    workload
        The change of the pod where people make it: a patch of the template of the workload that
        made the pod, as the API takes it; ``None`` for a pod of its own.
    creates
        Objects to create first: a node, a priority class.
    evicts
        Pods, ``namespace/name``, that the scheduler then deletes to make room.
    size
        How large it is among changes of its kind.
    """

    kind: str
    text: str
    target: str = ""
    field: str = ""
    old: Any = None
    new: Any = None
    node: str = ""
    lets_in: int = 1
    pods: int = 1
    patches: tuple[Patch, ...] = ()
    workload: Patch | None = None
    creates: tuple[Object, ...] = ()
    evicts: tuple[str, ...] = ()
    size: float = column(default=0.0, repr=False)

    @property
    def command(self) -> str:
        """The kubectl command that makes the change; empty where there is no single one."""
        name = self.target.partition("/")[2]
        if self.kind == "uncordon":
            return f"kubectl uncordon {name}"
        if self.kind == "node-label":
            labels = (
                f"{key}-" if value is None else f"{key}={value}" for key, value in self.new.items()
            )
            return " ".join(["kubectl label --overwrite node", name, *labels])
        if self.kind == "taint":
            taints = (f"{taint}-" for taint in self.old.split(" and "))
            return " ".join(["kubectl taint node", name, *taints])
        if self.workload is not None and len(self.patches) == 1 and not self.creates:
            patch = shlex.quote(json.dumps(self.workload.operations, separators=(",", ":")))
            where = f"{self.workload.target} -n {self.workload.namespace}"
            return f"kubectl patch {where} --type=json -p {patch}"
        return ""

    @property
    def order(self) -> tuple[int, int, float]:
        """What changes are sorted by: how many at once, how intrusive, how large."""
        kinds = self.kind.split("+")
        return len(kinds), sum(map(self._rank, kinds)), self.size

    def _rank(self, kind: str) -> int:
        place = KINDS.index(kind)
        return KINDS.index("node") if kind == "request" and self.size > _MUCH else place

    def together(self, other: Change) -> Change:
        """Return both as one change."""
        return replace(
            self,
            kind=f"{self.kind}+{other.kind}",
            text=f"{self.text}, and {other.text}",
            target=_joined(self.target, other.target),
            field=_joined(self.field, other.field),
            old=[self.old, other.old],
            new=[self.new, other.new],
            patches=_merged(self.patches + other.patches),
            creates=self.creates + other.creates,
            size=self.size + other.size,
        )

    def apply(self, cluster: Cluster) -> None:
        """Make the change.

        Objects whose field cannot change are deleted and made anew with it: the pod too, which
        keeps its name. Of a pod that a workload made, patch the workload instead: see
        ``workload``.

        Raises
        ------
        ApiError
            What the API server answers.
        """
        for item in self.creates:
            cluster.create(item)
        for patch in self.patches:
            namespace = patch.namespace or None
            if not patch.anew:
                cluster.patch(
                    patch.target, None, patch.operations, type="json", namespace=namespace
                )
                continue
            current = plain(cluster.get(patch.target, namespace=namespace))
            kind, _, name = patch.target.partition("/")
            cluster.delete(kind, name, namespace=namespace, grace_period_seconds=0)
            cluster.create(unborn(patched(current, patch.operations)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        told = {key: value for key, value in self.__dict__.items() if key != "size"}
        return {
            **told,
            "command": self.command,
            "patches": [dict(patch.__dict__) for patch in self.patches],
            "workload": None if self.workload is None else dict(self.workload.__dict__),
            "creates": list(self.creates),
            "evicts": list(self.evicts),
        }

    def __str__(self) -> str:
        return self.text


def _joined(first: str, second: str) -> str:
    return first if first == second else ", ".join(word for word in (first, second) if word)


def _merged(patches: tuple[Patch, ...]) -> tuple[Patch, ...]:
    """Return patches with one per object."""
    found: dict[tuple[str, str], Patch] = {}
    for patch in patches:
        key = (patch.target, patch.namespace)
        have = found.get(key)
        found[key] = (
            patch
            if have is None
            else Patch(*key, [*have.operations, *patch.operations], have.anew or patch.anew)
        )
    return tuple(found.values())


def plain(item: Any) -> Object:
    """Return a copy of an object as plain dicts and lists."""
    found: Object = copy.deepcopy(dict(item))
    return found


def unborn(item: Object) -> Object:
    """Return an object as one that is to be created: without what the API server gave it."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in _OWN}
    kept = {key: value for key, value in item.items() if key != "status"}
    found: Object = {**kept, "metadata": metadata}
    if item["kind"] == "Pod":
        found["spec"] = {key: value for key, value in item["spec"].items() if key != "nodeName"}
        if "priorityClassName" in found["spec"]:
            # The class says it.
            found["spec"].pop("priority", None)
    elif "status" in item:
        found["status"] = item["status"]
    return found


def patched(item: Object, operations: list[Operation]) -> Object:
    """Return a copy of an object with JSON patch operations done: add, replace and remove."""
    item = copy.deepcopy(item)
    for operation in operations:
        *parents, last = [_unescaped(part) for part in operation["path"].split("/")[1:]]
        place: Any = item
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if isinstance(place, list):
            _edit_list(place, last, operation)
        elif operation["op"] == "remove":
            del place[last]
        else:
            place[last] = copy.deepcopy(operation["value"])
    return item


def _edit_list(place: list[Any], last: str, operation: Operation) -> None:
    if operation["op"] == "remove":
        del place[int(last)]
    elif operation["op"] == "replace":
        place[int(last)] = copy.deepcopy(operation["value"])
    else:
        place.insert(len(place) if last == "-" else int(last), copy.deepcopy(operation["value"]))


def escaped(part: str) -> str:
    """Return a key as a JSON pointer has it."""
    return part.replace("~", "~0").replace("/", "~1")


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def made(cluster: Cluster, change: Change) -> Cluster | None:
    """Return a fork with everything changed but the pod; ``None`` when the API refuses it."""
    others = [patch for patch in change.patches if not patch.target.startswith("pod/")]
    branch = cluster.fork()
    try:
        replace(change, patches=tuple(others)).apply(branch)
    except ApiError:
        return None
    return branch
