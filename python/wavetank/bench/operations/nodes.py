"""createNodes: nodes from a template, then what a strategy makes of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wavetank.bench.objects import ObjectFile, fixed
from wavetank.errors import AlreadyExistsError

from .base import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wavetank.bench.run import Run

    from .fields import Fields

#: How often a node is created before its name is taken for good.
_ATTEMPTS = 5
_HOSTNAME = ("metadata", "labels", "kubernetes.io/hostname")
#: A node of a workload without a template.
_BASE_STATUS = {
    "capacity": {"pods": "110", "cpu": "4", "memory": "32Gi"},
    "allocatable": {"pods": "110", "cpu": "4", "memory": "32Gi"},
    "phase": "Running",
    "conditions": [{"type": "Ready", "status": "True"}],
}
#: With this parameter the test of its topic says on every node that it has so many features.
_FEATURES = "numNodeDeclaredFeatures"


class Strategy(ABC):
    """What is done to each node once all are there."""

    @abstractmethod
    def prepare(self, run: Run, node: Mapping[str, Any]) -> None:
        """Change one node, or create what belongs to it."""


@dataclass
class RoundRobinLabel(Strategy):
    """labelNodePrepareStrategy: one of several values of a label, in turn."""

    key: str
    values: tuple[str, ...]
    turn: int = 0

    def prepare(self, run: Run, node: Mapping[str, Any]) -> None:
        """Give the node the next value."""
        value = self.values[self.turn % len(self.values)]
        self.turn += 1
        _label(run, node, self.key, value)


@dataclass
class UniqueLabel(Strategy):
    """uniqueNodeLabelStrategy: a value of its own for each node."""

    key: str

    def prepare(self, run: Run, node: Mapping[str, Any]) -> None:
        """Give the node a value nobody has."""
        _label(run, node, self.key, str(node["metadata"]["uid"]))


@dataclass
class Allocatable(Strategy):
    """nodeAllocatableStrategy: what CSI drivers of the node say they can attach.

    The amounts of ``nodeAllocatable`` are patched into the node's status as the real test does,
    through the node itself; the API server then leaves the status as it was.
    """

    amounts: Mapping[str, Any]
    drivers: Mapping[str, Any]
    migrated: tuple[str, ...]

    def prepare(self, run: Run, node: Mapping[str, Any]) -> None:
        """Create or complete the node's CSINode."""
        name = str(node["metadata"]["name"])
        patch = {"status": {"allocatable": dict(self.amounts)}}
        run.cluster.patch("nodes", name, patch, type="merge")
        known = run.cluster.find("csinodes", name)
        csi_node: dict[str, Any] = known or {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "CSINode",
            "metadata": {"name": name},
            "spec": {"drivers": []},
        }
        annotations = csi_node["metadata"].setdefault("annotations", {})
        annotations["storage.alpha.kubernetes.io/migrated-plugins"] = ",".join(self.migrated)
        drivers = {driver["name"]: driver for driver in csi_node["spec"].get("drivers") or []}
        for driver, allocatable in self.drivers.items():
            drivers.setdefault(driver, {"name": driver, "nodeID": name})
            drivers[driver]["allocatable"] = allocatable
        csi_node["spec"]["drivers"] = list(drivers.values())
        if known is None:
            run.cluster.create(csi_node)
        else:
            run.cluster.update(csi_node)


@dataclass
class CreateNodes(Operation):
    """Create nodes named after their template, labelled with their name as hostname."""

    opcode = "createNodes"
    count: int
    template: Path | None
    strategy: Strategy | None

    @classmethod
    def read(cls, fields: Fields) -> CreateNodes:
        """Take the op's fields."""
        found = [
            strategy
            for strategy in (_allocatable(fields), _round_robin(fields), _unique(fields))
            if strategy is not None
        ]
        return cls(fields.whole("count"), fields.path("nodeTemplatePath"), next(iter(found), None))

    def templates(self) -> Iterator[Path]:
        """Yield the node's template."""
        if self.template is not None:
            yield self.template

    def run(self, run: Run, number: int) -> None:
        """Create the nodes, then prepare those that come next by name."""
        base = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"generateName": f"node-{number}-"},
            "status": _BASE_STATUS,
        }
        source = run.objects(self.template, "v1", "Node") if self.template else fixed(base)
        with run.phase("creating"):
            for index in range(self.count):
                run.said("creating nodes", index, self.count)
                _create(run, source, index, self.count)
            if self.strategy is not None:
                # The real test takes the nodes from a list sorted by name, whoever made them.
                nodes = run.cluster.get("nodes")[run.nodes : run.nodes + self.count]
                for index, node in enumerate(nodes):
                    run.said("preparing nodes", index, self.count)
                    self.strategy.prepare(run, node)
            run.nodes += self.count
            _declare_features(run)


def _create(run: Run, source: ObjectFile, index: int, count: int) -> None:
    document = source.document(index, count)
    given = document.text("metadata", "name")
    prefix = document.text("metadata", "generateName") or ""
    for attempt in range(_ATTEMPTS):
        name = given or prefix + run.suffix()
        named = document.with_value(("metadata", "name"), name).with_value(_HOSTNAME, name)
        try:
            run.world.create(named, field_validation="Strict")
        except AlreadyExistsError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def _label(run: Run, node: Mapping[str, Any], key: str, value: str) -> None:
    patch = {"metadata": {"labels": {key: value}}}
    run.cluster.patch("nodes", str(node["metadata"]["name"]), patch, type="merge")


def _declare_features(run: Run) -> None:
    count = run.params.find(_FEATURES)
    if not count:
        return
    features = sorted(f"Feature{number}" for number in range(1, int(count) + 1))
    run.note(
        f"{_FEATURES}: every node declares so many features; that each pod needs them all is a "
        "mock of the real test and not done here"
    )
    for node in run.cluster.get("nodes"):
        patch = {"status": {"declaredFeatures": features}}
        name = str(node["metadata"]["name"])
        run.cluster.patch("nodes", name, patch, type="merge", subresource="status")


def _allocatable(fields: Fields) -> Strategy | None:
    given = fields.mapping("nodeAllocatableStrategy")
    if given is None:
        return None
    inner = fields.inner(given, "nodeAllocatableStrategy")
    amounts = inner.mapping("nodeAllocatable") or {}
    drivers = inner.mapping("csiNodeAllocatable") or {}
    strategy = Allocatable(amounts, drivers, inner.texts("migratedPlugins"))
    inner.finish()
    return strategy


def _round_robin(fields: Fields) -> Strategy | None:
    given = fields.mapping("labelNodePrepareStrategy")
    if given is None:
        return None
    inner = fields.inner(given, "labelNodePrepareStrategy")
    strategy = RoundRobinLabel(_key(inner), inner.texts("labelValues"))
    inner.finish()
    if not strategy.values:
        raise inner.fault("labelValues must be set")
    return strategy


def _unique(fields: Fields) -> Strategy | None:
    given = fields.mapping("uniqueNodeLabelStrategy")
    if given is None:
        return None
    inner = fields.inner(given, "uniqueNodeLabelStrategy")
    strategy = UniqueLabel(_key(inner))
    inner.finish()
    return strategy


def _key(fields: Fields) -> str:
    key = fields.text("labelKey")
    if not key:
        raise fields.fault("labelKey must be set")
    return key
