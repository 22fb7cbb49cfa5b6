"""One workload, run: the cluster, its virtual time and what was measured."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wavetank.kinds import Kind, as_kind

from . import objects
from .agenda import MILLISECOND_NS, SECOND_NS, Agenda, Task
from .control_plane import ControlPlane
from .errors import WorkloadError
from .measure import Window

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wavetank import _core

    from .operations import Params
    from .workloads import Workload

#: Virtual time between two looks at what is scheduled, and how long it may take; as in the test.
_POLL_NS = SECOND_NS
_TIMEOUT_NS = 600 * SECOND_NS
#: Letters of generated names, those Kubernetes uses.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX = 5
#: Seconds of wall clock between two words about progress.
_SAY_S = 0.1

#: How one of several best nodes may be chosen.
TIE_BREAKS = ("seeded", "oracle", "first-by-name")

#: Takes what is being done and how much of it is done, from 0 to 1, where that is known.
Progress = Callable[[str, "float | None"], None]


@dataclass(frozen=True)
class Options:
    """How workloads are run.

    Attributes
    ----------
    cycle_ns
        Virtual nanoseconds from one scheduling cycle to the next.
    seed
        What generated names and tie-breaks derive from.
    tie_break
        How one of several best nodes is chosen.
    """

    cycle_ns: int = 4 * MILLISECOND_NS
    seed: int = 0
    tie_break: str = "seeded"

    def __post_init__(self) -> None:
        if self.cycle_ns < 0:
            raise WorkloadError("the time of a scheduling cycle is 0 or more")
        if self.tie_break not in TIE_BREAKS:
            known = ", ".join(TIE_BREAKS)
            raise WorkloadError(f"a tie-break is one of {known}, not {self.tie_break!r}")


class Run:
    """A workload under way. Ops work on it.

    Attributes
    ----------
    cluster, world
        The cluster, and its compiled part.
    waiting
        By namespace: how many pods an op created without waiting for them.
    nodes
        How many nodes ops have prepared so far.
    """

    def __init__(
        self, workload: Workload, options: Options, progress: Progress | None = None
    ) -> None:
        self.workload = workload
        self.params: Params = workload.params
        self.default_pod_template: Path | None = workload.default_pod_template
        self.cluster = ControlPlane(
            seed=options.seed,
            cycle_ns=options.cycle_ns,
            scheduler=workload.scheduler_config,
            tie_break=options.tie_break,
        )
        self.world: _core.World = self.cluster.world
        self.waiting: dict[str, int] = {}
        self.nodes = 0
        self.windows: list[Window] = []
        self.notes: list[str] = []
        self.phases: dict[str, float] = {}
        self._cycle_ns = options.cycle_ns
        self._agenda = Agenda()
        self._random = random.Random(options.seed)
        self._window: Window | None = None
        self._objects: dict[tuple[Path, str | None, bool], objects.ObjectFile] = {}
        self._progress = progress
        self._said = 0.0
        self._pod_kind = self.cluster.kind("pods").id

    # What ops are told and tell

    def note(self, text: str) -> None:
        """Remember something the reader of the results should know; once."""
        if text not in self.notes:
            self.notes.append(text)

    def said(self, text: str, done: int | None = None, of: int | None = None) -> None:
        """Tell how far it is, not too often."""
        if self._progress is None:
            return
        now = time.perf_counter()
        if now - self._said >= _SAY_S:
            self._said = now
            self._progress(text, done / of if of and done is not None else None)

    def suffix(self) -> str:
        """Return the random end of a generated name."""
        return "".join(self._random.choices(_LETTERS, k=_SUFFIX))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the wall time of what is done inside."""
        began = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self.phases[name] = self.phases.get(name, 0.0) + took

    # Objects

    def objects(
        self,
        path: Path,
        api_version: str | None = None,
        kind: str | None = None,
        *,
        literal: bool = False,
    ) -> objects.ObjectFile:
        """Return a template, read once; see :func:`wavetank.bench.objects.read`."""
        key = (path, kind, literal)
        if key not in self._objects:
            self._objects[key] = objects.read(path, self.world, api_version, kind, literal=literal)
        return self._objects[key]

    def kind_of(self, document: _core.Document) -> Kind:
        """Return the kind of an object.

        Raises
        ------
        WorkloadError
            When there is none of that name.
        """
        api_version = document.text("apiVersion") or ""
        name = document.text("kind") or ""
        found = self.world.kind_of(api_version, name)
        if found is None:
            raise WorkloadError(
                f'{document.source}: no matches for kind "{name}" in version "{api_version}"'
            )
        return as_kind(found)

    def create_namespace(self, name: str) -> None:
        """Create a namespace."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.world.create(body)

    def ensure_namespace(self, name: str) -> None:
        """Create a namespace unless an op did already."""
        if name not in self.waiting:
            self.waiting[name] = 0
            if self.cluster.find("namespaces", name) is None:
                self.create_namespace(name)

    def pods(
        self, namespace: str, labels: Mapping[str, str] | None = None, fields: str | None = None
    ) -> NDArray[np.int64]:
        """Return the keys of the pods of a namespace that have these labels."""
        return self.world.matching(self._pod_kind, namespace, selector(labels), fields)

    def scheduled(self, namespace: str, labels: Mapping[str, str] | None = None) -> int:
        """Return how many pods of a namespace are bound."""
        return len(self.pods(namespace, labels, "spec.nodeName!="))

    def attempted(self, namespace: str, labels: Mapping[str, str] | None = None) -> int:
        """Return how many pods of a namespace are bound or were tried at least once."""
        pending = self.pods(namespace, labels, "spec.nodeName=")
        tried = sum(map(_is_attempted, self.world.get_many(pending.tolist())))
        return self.scheduled(namespace, labels) + tried

    # Time

    @property
    def now_ns(self) -> int:
        """The virtual time, nanoseconds since the Unix epoch."""
        return self.world.now_ns

    def every(self, period_ns: int, action: Callable[[], bool]) -> Task:
        """Do something every period from now on, in the background."""
        return self._agenda.every(self.now_ns, period_ns, action)

    def pass_time(self, until_ns: int, text: str = "scheduling") -> None:
        """Let virtual time pass, and happen what is due meanwhile."""
        while (due := self._agenda.next_ns()) is not None and due <= until_ns:
            self._advance(due, text)
            with self.phase("churning"):
                self._agenda.work()
        self._advance(until_ns, text)

    def finish(self, task: Task, text: str) -> None:
        """Let time pass until a task is over."""
        while not task.over:
            self.pass_time(task.due_ns, text)

    def _advance(self, until_ns: int, text: str) -> None:
        with self.phase("advancing"):
            self.cluster.run_to(until_ns, lambda: self.said(text))

    def wait_scheduled(
        self, namespace: str, wanted: int, labels: Mapping[str, str] | None = None
    ) -> None:
        """Wait until so many pods of a namespace are bound.

        Raises
        ------
        WorkloadError
            When that takes more than ten minutes of virtual time.
        """
        self._wait(namespace, wanted, "scheduled", lambda: self.scheduled(namespace, labels))

    def wait_attempted(
        self, namespace: str, wanted: int, labels: Mapping[str, str] | None = None
    ) -> None:
        """Wait until so many pods of a namespace are bound or were tried at least once."""
        self._wait(namespace, wanted, "attempted", lambda: self.attempted(namespace, labels))

    def _wait(self, namespace: str, wanted: int, what: str, count: Callable[[], int]) -> None:
        deadline = self.now_ns + _TIMEOUT_NS
        while (found := count()) < wanted:
            if self.now_ns >= deadline:
                raise WorkloadError(
                    f"{found:,} of {wanted:,} pods of namespace {namespace} were {what} in ten "
                    f"minutes of virtual time{self._why(namespace)}"
                )
            self.pass_time(
                min(self.now_ns + _POLL_NS, deadline), f"{what} {found:,} of {wanted:,} pods"
            )

    def _why(self, namespace: str) -> str:
        """Return what the scheduler says about a pod that is not bound."""
        pending = self.pods(namespace, None, "spec.nodeName=")
        for pod in self.world.get_many(pending[:1].tolist()):
            for condition in pod.get("status", {}).get("conditions", []):
                if condition["type"] == "PodScheduled" and condition.get("message"):
                    return f"; {pod['metadata']['name']}: {condition['message']}"
        return ""

    def pass_until_scheduled(self, namespace: str, wanted: int, end_ns: int) -> bool:
        """Let time pass until so many pods are bound; false when the end came first."""
        while (missing := wanted - self.scheduled(namespace)) > 0:
            if self.now_ns >= end_ns:
                return False
            step = max(missing * self._cycle_ns, MILLISECOND_NS)
            self.pass_time(min(self.now_ns + step, end_ns))
        return self.now_ns < end_ns

    # Measuring

    def start_collecting(
        self, name: str, namespaces: Sequence[str], labels: Mapping[str, str]
    ) -> None:
        """Begin to measure; pods of these namespaces and labels are counted once bound.

        Raises
        ------
        WorkloadError
            When something is measured already.
        """
        if self._window is not None:
            raise WorkloadError(
                "metrics collection is overlapping: a second one was started before stopping the "
                "first"
            )
        self.world.measure(list(namespaces), selector(labels))
        self._window = Window(name, time.perf_counter(), self.now_ns, dict(self.phases))

    def stop_collecting(self) -> None:
        """End measuring and keep what was found.

        Raises
        ------
        WorkloadError
            When nothing is measured.
        """
        measured = self.world.measured()
        if self._window is None or measured is None:
            raise WorkloadError("missing startCollectingMetrics operation before stopping")
        self._window.close(measured, self.now_ns, self.phases)
        self.windows.append(self._window)
        self._window = None


def selector(labels: Mapping[str, str] | None) -> str | None:
    """Return labels as a selector."""
    return ",".join(f"{key}={value}" for key, value in labels.items()) if labels else None


def _is_attempted(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(condition["type"] == "PodScheduled" for condition in conditions)
