"""The ops of benchmark files: one class for each opcode."""

from __future__ import annotations

from .any import CreateAny, UpdateAny
from .base import Operation
from .churn import Churn
from .delete_pods import DeletePods
from .dra import AllocResourceClaims, CreateResourceClaims, CreateResourceDriver
from .fields import Fields, Params
from .metrics import StartCollectingMetrics, StopCollectingMetrics
from .namespaces import CreateNamespaces
from .nodes import CreateNodes
from .pods import CreatePods, CreatePodSets
from .waiting import Barrier, Sleep

__all__ = ["OPERATIONS", "Fields", "Operation", "Params"]

#: By opcode.
OPERATIONS: dict[str, type[Operation]] = {
    operation.opcode: operation
    for operation in (
        AllocResourceClaims,
        Barrier,
        Churn,
        CreateAny,
        CreateNamespaces,
        CreateNodes,
        CreatePods,
        CreatePodSets,
        CreateResourceClaims,
        CreateResourceDriver,
        DeletePods,
        Sleep,
        StartCollectingMetrics,
        StopCollectingMetrics,
        UpdateAny,
    )
}
