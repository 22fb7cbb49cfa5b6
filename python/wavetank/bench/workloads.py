"""Benchmark files: which test cases and workloads there are, and what each is to do."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wavetank import _core
from wavetank.errors import ManifestError

from .errors import WorkloadError
from .operations import OPERATIONS, Fields, Operation, Params
from .operations.dra import REASON

#: What a benchmark file is called.
FILE_NAME = "performance-config.yaml"
#: The metric that a plain threshold is about.
THROUGHPUT = "SchedulingThroughput"
_CASE_FIELDS = {
    "name",
    "featureGates",
    "metricsCollectorConfig",
    "workloadTemplate",
    "workloads",
    "schedulerConfigPath",
    "defaultPodTemplatePath",
    "labels",
    "defaultThresholdMetricSelector",
}
_WORKLOAD_FIELDS = {
    "name",
    "params",
    "labels",
    "threshold",
    "thresholdMetricSelector",
    "featureGates",
}
#: What in a template needs dynamic resource allocation.
_DRA = re.compile(
    r"^\s*(?:-\s+)?(?:apiVersion:\s*[\"']?(?P<api>resource\.k8s\.io)/|(?P<field>resourceClaims):)",
    re.MULTILINE,
)
#: Parameters that the Go code of a topic reads, not its file.
_READ_BY_CODE = {"numNodeDeclaredFeatures"}
#: Names listed when none matches.
_LISTED = 20


@dataclass
class Workload:
    """One workload of a benchmark file.

    Attributes
    ----------
    path, topic
        The file, and the folder it is in, by which thresholds may differ.
    case, name
        The test case, and the workload's own name.
    threshold
        The least pods per second the file demands; ``None`` when it demands none, or demands
        something of another metric.
    """

    path: Path
    topic: str
    case: str
    name: str
    labels: tuple[str, ...]
    params: Params
    threshold: float | None
    feature_gates: dict[str, bool]
    default_pod_template: Path | None
    scheduler_config: Path | None
    ops: Sequence[Any] = field(repr=False)

    @property
    def full_name(self) -> str:
        """Test case and workload."""
        return f"{self.case}/{self.name}"

    @property
    def place(self) -> str:
        """File, test case and workload, for messages."""
        return f"{self.path}: {self.full_name}"

    def operations(self) -> list[Operation]:
        """Return the ops, with the parameters of this workload put in.

        Raises
        ------
        WorkloadError
            When an op makes no sense, a template is missing or a parameter unused.
        """
        found = [self._operation(number, given) for number, given in enumerate(self.ops)]
        if not any(operation.collects for operation in found):
            raise WorkloadError(f"{self.place}: no op in the workload template collects metrics")
        unused = [name for name in self.params.unused() if name not in _READ_BY_CODE]
        if unused:
            raise WorkloadError(
                f"{self.place}: the parameters {', '.join(unused)} are defined but unused"
            )
        for operation in found:
            self._check_templates(operation)
        return [inner for operation in found for inner in operation.unrolled()]

    def reason_to_skip(self) -> str | None:
        """Return why the workload cannot be run here, if it cannot."""
        operations = [self._operation(number, given) for number, given in enumerate(self.ops)]
        for operation in operations:
            reason = operation.reason_to_skip()
            if reason is not None:
                return reason
        for operation in operations:
            for path in operation.templates():
                found = _DRA.search(path.read_text(encoding="utf-8")) if path.is_file() else None
                if found is not None:
                    what = "resource.k8s.io" if found["api"] else found["field"]
                    return f"{REASON}: {path.name} has {what}"
        return None

    def _operation(self, number: int, given: Any) -> Operation:
        place = f"{self.place}: op {number}"
        if not isinstance(given, Mapping):
            raise WorkloadError(f"{place}: an op is a map with an opcode")
        fields = Fields(given, self.params, place, self.path.parent)
        opcode = fields.take("opcode")
        if opcode not in OPERATIONS:
            known = ", ".join(sorted(OPERATIONS))
            raise WorkloadError(f'{place}: unknown opcode "{opcode}"; there are {known}')
        fields.place = f"{place} ({opcode})"
        operation = OPERATIONS[opcode].read(fields)
        fields.finish()
        return operation

    def _check_templates(self, operation: Operation) -> None:
        paths = list(operation.templates())
        if operation.opcode == "createPods" and self.default_pod_template is not None:
            paths.append(self.default_pod_template)
        for path in paths:
            if not path.is_file():
                raise WorkloadError(
                    f"{self.place}: {operation.opcode}: the template {path} does not exist"
                )


def read(path: str | Path) -> list[Workload]:
    """Return every workload of a benchmark file, or of all such files in a folder.

    Raises
    ------
    FileNotFoundError
        When there is no such file or folder.
    WorkloadError
        When it holds no workload, or a file is no benchmark file.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'the path "{path}" does not exist')
    files = sorted(path.rglob(FILE_NAME)) if path.is_dir() else [path]
    if not files:
        raise WorkloadError(f"{path}: no {FILE_NAME} in this folder or below")
    root = path if path.is_dir() else path.parent
    return [workload for file in files for workload in _file(file, root)]


def select(
    workloads: Sequence[Workload],
    filter: str | None = None,  # noqa: A002 - the word of the command
    label: str | None = None,
) -> list[Workload]:
    """Return the workloads of a name and labels.

    Parameters
    ----------
    filter
        Part of ``TestCase/workload``, or a pattern with ``*``.
    label
        Labels with commas between them, as the real test takes them: ``performance``,
        ``+short``, ``-integration-test`` for those that must not be there.

    Raises
    ------
    WorkloadError
        When nothing matches; it lists what there is.
    """
    labelled = [workload for workload in workloads if _has(workload, label or "")]
    if not labelled:
        known = sorted({name for workload in workloads for name in workload.labels})
        told = ", ".join(known) or "no labels"
        raise WorkloadError(f"no workload has the label {label}; there are {told}")
    found = [workload for workload in labelled if _is_named(workload.full_name, filter)]
    if not found:
        names = [workload.full_name for workload in labelled]
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        raise WorkloadError(
            f"no workload matches {filter!r}; there are {', '.join(names[:_LISTED])}{more}"
        )
    return found


def _has(workload: Workload, labels: str) -> bool:
    for word in filter(None, map(str.strip, labels.split(","))):
        if (word.lstrip("+-") in workload.labels) == word.startswith("-"):
            return False
    return True


def _is_named(name: str, pattern: str | None) -> bool:
    if not pattern:
        return True
    if "*" in pattern or "?" in pattern:
        return fnmatch.fnmatchcase(name, pattern)
    return pattern in name


def _file(path: Path, root: Path) -> list[Workload]:
    try:
        documents = _core.read_manifest(path.read_bytes(), str(path))
    except ManifestError as error:
        raise WorkloadError(str(error)) from None
    cases = documents[0].object() if documents else None
    if not isinstance(cases, list) or not cases:
        raise WorkloadError(f"{path}: no test cases defined: a benchmark file is a list of them")
    folder = path.resolve().parent
    topic = folder.name if folder == root.resolve() else path.parent.relative_to(root).as_posix()
    found = [workload for case in cases for workload in _case(path, topic, case)]
    names = [workload.full_name for workload in found]
    for name in names:
        if names.count(name) > 1:
            raise WorkloadError(f"{path}: {name}: name is not unique")
    return found


def _case(path: Path, topic: str, case: Any) -> list[Workload]:
    if not isinstance(case, Mapping) or not isinstance(case.get("name"), str):
        raise WorkloadError(f"{path}: a test case is a map with a name")
    place = f"{path}: {case['name']}"
    _check_fields(place, case, _CASE_FIELDS)
    for name, what in (("workloads", "workloads"), ("workloadTemplate", "ops")):
        if not isinstance(case.get(name), list) or not case[name]:
            raise WorkloadError(f"{place}: no {what} defined")
    return [_workload(path, topic, case, given) for given in case["workloads"]]


def _workload(path: Path, topic: str, case: Mapping[str, Any], given: Any) -> Workload:
    place = f"{path}: {case['name']}"
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise WorkloadError(f"{place}: a workload is a map with a name")
    place = f"{place}/{given['name']}"
    _check_fields(place, given, _WORKLOAD_FIELDS)
    folder = path.parent
    template, config = case.get("defaultPodTemplatePath"), case.get("schedulerConfigPath")
    if config and not (folder / config).is_file():
        raise WorkloadError(f"{place}: the scheduler configuration {folder / config} is missing")
    return Workload(
        path=path,
        topic=topic,
        case=case["name"],
        name=given["name"],
        labels=(*(case.get("labels") or []), *(given.get("labels") or [])),
        params=Params(given.get("params") or {}),
        threshold=_threshold(place, topic, case, given),
        feature_gates={**(case.get("featureGates") or {}), **(given.get("featureGates") or {})},
        default_pod_template=folder / template if template else None,
        scheduler_config=folder / config if config else None,
        ops=case["workloadTemplate"],
    )


def _threshold(
    place: str, topic: str, case: Mapping[str, Any], given: Mapping[str, Any]
) -> float | None:
    written = given.get("threshold")
    if isinstance(written, Mapping):
        written = written.get(topic.rsplit("/", 1)[-1])
    if written is None or written == 0:
        return None
    if isinstance(written, bool) or not isinstance(written, (int, float)) or written < 0:
        raise WorkloadError(f"{place}: invalid threshold={written!r}: it is a number from 0 on")
    of = given.get("thresholdMetricSelector") or case.get("defaultThresholdMetricSelector") or {}
    return float(written) if of.get("name", THROUGHPUT) == THROUGHPUT else None


def _check_fields(place: str, given: Mapping[str, Any], known: set[str]) -> None:
    lower = {name.lower() for name in known}
    for name in given:
        if str(name).lower() not in lower:
            raise WorkloadError(f'{place}: unknown field "{name}"')
