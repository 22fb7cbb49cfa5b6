"""Scheduling plugins of one's own, in three tiers.

============  =====================================================  =========================
tier          what it is                                             asked
============  =====================================================  =========================
Expression    a line of text, compiled once                          never: it runs in the core
Batch         functions over columns of nodes (NumPy arrays)         once per pod and point
PerNode       functions of one pod and one node, for learning        once per pod, in a loop
============  =====================================================  =========================

Give them to a cluster; a ``KubeSchedulerConfiguration`` names them like any other plugin, and
without one they are in the default profile.

>>> import wavetank as wt
>>> cheap = wt.scheduling.Expression(
...     name="Cheap", score="100 if node.labels['tier'] == 'spot' else 0", weight=10
... )
>>> cluster = wt.Cluster(plugins=[cheap])
>>> _ = cluster.add_nodes(cpu="4", memory="8Gi", name="dear")
>>> _ = cluster.add_nodes(cpu="4", memory="8Gi", name="cheap", labels={"tier": "spot"})
>>> spec = {"containers": [{"name": "main", "image": "web:1"}]}
>>> pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
>>> _ = cluster.create(pod)
>>> cluster.run().reason
'settled'
>>> [str(node) for node in cluster.pods["node"]]
['cheap-0']

``docs/scheduling-plugins.md`` is the guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank._core import PluginError

from .plugins import Batch, Expression, PerNode, Plugin
from .pod import Pod

if TYPE_CHECKING:
    from .nodes import Labels, Node, Nodes

__all__ = [
    "Batch",
    "Expression",
    "Labels",
    "Node",
    "Nodes",
    "PerNode",
    "Plugin",
    "PluginError",
    "Pod",
]


def __getattr__(name: str) -> object:
    if name in {"Labels", "Node", "Nodes"}:
        from . import nodes  # noqa: PLC0415 - NumPy is slow to import

        return getattr(nodes, name)
    message = f"module 'wavetank.scheduling' has no attribute {name!r}"
    raise AttributeError(message)
