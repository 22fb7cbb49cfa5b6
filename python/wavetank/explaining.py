"""The part of the facade that explains where pods go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .rollouts import Rollouts

if TYPE_CHECKING:
    from pathlib import Path

    from .catalogue import Catalogue
    from .explain import Explanation


class Explaining(Rollouts):
    """The facade's question why."""

    def explain(
        self,
        pod: Any,
        *,
        namespace: str | None = None,
        catalogue: Catalogue | str | Path | None = None,
    ) -> Explanation:
        """Tell why a pod is where it is, or nowhere, and the smallest change that lets it in.

        Every filter of the scheduler is asked of every node, not only up to the first no, so a
        node with a single reason is one change away. Each change that is said was tried on a
        fork, where the scheduler really bound the pod, before any other pod. The cluster itself
        does not change.

        Parameters
        ----------
        pod
            ``"pod/web-0"`` or ``"web-0"``; a workload, ``"deployment/web"``, for one of its
            pending pods and all that are equal; an object of the cluster; or a manifest (a file,
            text, a dict) of a pod or workload that is not there yet.
        namespace
            Where it is; ``default`` when ``None``.
        catalogue
            A table of machines of your own, for one more node.

        Returns
        -------
        wavetank.explain.Explanation
            ``groups`` (reasons and on how many nodes), ``nodes`` (a table of every reason of
            every node), ``changes``, ``scores`` and ``message``; prints as the command does.

        Raises
        ------
        NotFoundError
            When there is no such object.
        ValueError
            When the argument names no pod, or several.

        Examples
        --------
        >>> import wavetank as wt
        >>> cluster = wt.Cluster()
        >>> _ = cluster.add_nodes(cpu="2", memory="4Gi", count=3)
        >>> box = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "2500m"}}}
        >>> pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "big"}}
        >>> why = cluster.explain({**pod, "spec": {"containers": [box]}})
        >>> why.changes[0].text, why.changes[0].node
        ('ask for 500m less cpu: 2 instead of 2500m', 'node-0')
        """
        from .explain import explain  # noqa: PLC0415

        return explain(self, pod, namespace=namespace, catalogue=catalogue)  # type: ignore[arg-type]
