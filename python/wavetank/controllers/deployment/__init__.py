"""The Deployment controller (reference: controllers, section 1).

Read :mod:`.controller` (the order of a sync), then :mod:`.revisions` (which ReplicaSet is the
new one, revisions and history), :mod:`.rollout` (rolling update and recreate), :mod:`.scaling`
(proportional scaling) and :mod:`.status` (counts, conditions, progress).
"""

from .controller import DeploymentController

__all__ = ["DeploymentController"]
