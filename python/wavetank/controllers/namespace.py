"""The namespace controller: what is in a namespace goes before the namespace does.

Reference: controllers, section 3, "Namespace deletion": pods first, then everything else, then
the namespace's own finalizer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wavetank import _core

from .base import DONE, Answer, Context, Controller, Object, Watch, after, timeout

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECOND = 1_000_000_000
#: How long a namespace is left alone after its deletion was asked for.
GRACE_NS = 5 * _SECOND
#: Assumed time until a finalizer is removed, in seconds.
FINALIZER_SECONDS = 15


class NamespaceController(Controller):
    """Empties namespaces that are being deleted."""

    name = "namespace-controller"

    def watches(self) -> Sequence[Watch]:
        """Watch namespaces, and whatever goes from one."""
        return (Watch("namespaces"), Watch("*", namespace=True, deletes_only=True))

    def sync(self, context: Context, key: int) -> Answer | None:
        """Take the next step in deleting a namespace."""
        namespace = context.world.get_many([key])[0]
        if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
            return DONE
        if not namespace["spec"].get("finalizers"):
            return DONE
        began = _core.parse_time(namespace["metadata"]["deletionTimestamp"])
        early = began + GRACE_NS - context.now_ns
        if early > 0:
            return after(early)
        name = namespace["metadata"]["name"]
        left = self._delete(context, ["pods"], name) or self._delete(
            context, _other_kinds(context), name
        )
        if left:
            # What goes wakes this controller; the clock alone brings nothing nearer.
            return timeout((_estimate(context, left) // 2 + 1) * _SECOND)
        return self._finalize(context, namespace)

    def _delete(self, context: Context, resources: list[str], namespace: str) -> list[int]:
        """Delete everything of these kinds; return the keys of what remains."""
        remaining: list[int] = []
        for resource in resources:
            kind = context.kind(resource)
            keys = context.world.matching(kind, namespace)
            if keys.size:
                context.world.delete_many(keys, propagation="Background")
                remaining.extend(context.world.matching(kind, namespace).tolist())
        return remaining

    def _finalize(self, context: Context, namespace: Object) -> Answer:
        spec = {key: value for key, value in namespace["spec"].items() if key != "finalizers"}
        context.world.update({**namespace, "spec": spec}, "finalize")
        return DONE


def _other_kinds(context: Context) -> list[str]:
    """Return every namespaced kind that can be deleted, in discovery's order."""

    def deletable(kind: dict[str, Any]) -> bool:
        return bool(kind["namespaced"] and "delete" in kind["verbs"] and kind["plural"] != "events")

    kinds = [kind for kind in context.world.kinds() if deletable(kind)]
    return [f"{kind['plural']}.{kind['group']}".rstrip(".") for kind in kinds]


def _estimate(context: Context, keys: list[int]) -> int:
    """Seconds until what remains can be gone: the longest grace, or a guess for finalizers."""
    seconds = 0
    for item in context.world.get_many(keys):
        metadata = (item or {}).get("metadata", {})
        seconds = max(seconds, metadata.get("deletionGracePeriodSeconds") or 0)
        if metadata.get("finalizers"):
            seconds = max(seconds, FINALIZER_SECONDS)
    return seconds
