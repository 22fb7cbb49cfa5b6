"""createPods and createPodSets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wavetank.bench.errors import WorkloadError
from wavetank.bench.objects import ObjectFile, fixed
from wavetank.bench.volumes import Volumes

from .base import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wavetank.bench.run import Run

    from .fields import Fields

_AMOUNTS = {"cpu": "100m", "memory": "500Mi"}
#: A pod of a workload without a template.
_BASE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"generateName": "pod-"},
    "spec": {
        "containers": [
            {
                "name": "pause",
                "image": "registry.k8s.io/pause:3.10.2",
                "ports": [{"containerPort": 80}],
                "resources": {"limits": _AMOUNTS, "requests": _AMOUNTS},
            }
        ]
    },
}


@dataclass(frozen=True)
class CreatePods(Operation):
    """Create pods in a namespace and wait until they are scheduled."""

    opcode = "createPods"
    count: int
    namespace: str | None
    template: Path | None
    volume: Path | None
    claim: Path | None
    collect: bool
    skip_wait: bool
    steady: bool
    duration_ns: int

    @classmethod
    def read(cls, fields: Fields) -> CreatePods:
        """Take the op's fields."""
        operation = cls(
            count=fields.whole("count"),
            namespace=fields.text("namespace"),
            template=fields.path("podTemplatePath"),
            volume=fields.path("persistentVolumeTemplatePath"),
            claim=fields.path("persistentVolumeClaimTemplatePath"),
            collect=fields.flag("collectMetrics"),
            skip_wait=fields.flag("skipWaitToCompletion"),
            steady=fields.flag("steadyState"),
            duration_ns=fields.duration("duration"),
        )
        fault = operation._contradiction()
        if fault:
            raise fields.fault(fault)
        return operation

    def _contradiction(self) -> str | None:
        if self.collect and self.skip_wait:
            return "collectMetrics and skipWaitToCompletion cannot be true at the same time"
        if self.skip_wait and self.steady:
            return "skipWaitToCompletion and steadyState cannot be true at the same time"
        if self.steady and self.duration_ns <= 0:
            return "when creating pods in a steady state, the test duration must be > 0"
        if self.steady and self.count == 0:
            return "when creating pods in a steady state, the count must be > 0"
        if (self.claim is None) != (self.volume is None):
            return "persistentVolumeTemplatePath and persistentVolumeClaimTemplatePath go together"
        return None

    @property
    def collects(self) -> bool:
        """Whether its pods are measured."""
        return self.collect

    def templates(self) -> Iterator[Path]:
        """Yield the templates of pod, volume and claim."""
        yield from (path for path in (self.template, self.volume, self.claim) if path)

    def run(self, run: Run, number: int) -> None:
        """Create the pods; see :class:`CreatePods`."""
        namespace = self.namespace or f"namespace-{number}"
        run.ensure_namespace(namespace)
        if self.collect:
            run.start_collecting(namespace, (namespace,), {})
        if self.steady:
            self._keep_steady(run, namespace)
        else:
            self.create(run, namespace)
            if self.skip_wait:
                run.waiting[namespace] += self.count
            else:
                run.wait_scheduled(namespace, self.count)
        if self.collect:
            run.stop_collecting()

    def create(self, run: Run, namespace: str) -> None:
        """Create the pods, and a volume and a claim for each if it has any."""
        template = self.template or run.default_pod_template
        source = run.objects(template, "v1", "Pod") if template else fixed(_BASE)
        volumes = None
        if self.volume is not None and self.claim is not None:
            volumes = Volumes.of(run, self.volume, self.claim)
        with run.phase("creating"):
            _create(run, source, volumes, namespace, self.count)

    def _keep_steady(self, run: Run, namespace: str) -> None:
        """Whenever a batch is scheduled, delete all pods of the namespace and create the next."""
        end = run.now_ns + self.duration_ns
        scheduled = 0
        self.create(run, namespace)
        while run.pass_until_scheduled(namespace, self.count, end):
            scheduled += self.count
            with run.phase("creating"):
                run.cluster.delete_all("pods", namespace=namespace, grace_period_seconds=0)
            self.create(run, namespace)
        if scheduled == 0 and run.scheduled(namespace) == 0:
            raise WorkloadError(
                "no pod at all got scheduled, either because of a problem or because the test "
                "interval was too small"
            )


def _create(
    run: Run, source: ObjectFile, volumes: Volumes | None, namespace: str, count: int
) -> None:
    generated = source.document(0, count).text("metadata", "name") is None
    if count and volumes is None and generated and not source.varies:
        run.said("creating pods", 0, count)
        document = source.document(0, count)
        run.world.create_many(document, namespace, count=count, field_validation="Strict")
        return
    for index in range(count):
        run.said("creating pods", index, count)
        document = source.document(index, count)
        if volumes is not None:
            name = volumes.create(namespace, index)
            claim = {"name": "vol", "persistentVolumeClaim": {"claimName": name}}
            document = document.with_value(("spec", "volumes"), [claim])
        run.world.create(document, namespace, field_validation="Strict")


@dataclass(frozen=True)
class CreatePodSets(Operation):
    """Create pods in each of several namespaces ``PREFIX-0``, ``PREFIX-1``, ..."""

    opcode = "createPodSets"
    count: int
    prefix: str
    pods: CreatePods

    @classmethod
    def read(cls, fields: Fields) -> CreatePodSets:
        """Take the op's fields."""
        given = fields.mapping("createPodsOp")
        if given is None:
            raise fields.fault("createPodsOp must be set")
        inner = fields.inner(given, "createPodsOp")
        inner.take("opcode")
        pods = CreatePods.read(inner)
        inner.finish()
        return cls(fields.whole("count"), fields.text("namespacePrefix", "") or "", pods)

    @property
    def collects(self) -> bool:
        """Whether its pods are measured."""
        return self.pods.collect

    def unrolled(self) -> Sequence[Operation]:
        """Return one createPods for each namespace."""
        return [
            replace(self.pods, namespace=f"{self.prefix}-{index}") for index in range(self.count)
        ]

    def templates(self) -> Iterator[Path]:
        """Yield the templates of the pods."""
        yield from self.pods.templates()

    def run(self, run: Run, number: int) -> None:
        """Create the pods of each namespace."""
        for offset, operation in enumerate(self.unrolled()):
            operation.run(run, number + offset)
