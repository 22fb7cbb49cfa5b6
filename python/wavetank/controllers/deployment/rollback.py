"""The old server-side rollback, asked for by an annotation."""

from __future__ import annotations

from .model import HASH_LABEL, ROLLBACK, ReplicaSet, Rollout, same_template
from .revisions import NOT_COPIED, sync_revision


def is_asked_for(rollout: Rollout) -> bool:
    """Whether the Deployment asks to be rolled back."""
    try:
        int(rollout.annotations.get(ROLLBACK, ""))
    except ValueError:
        return False
    return True


def roll_back(rollout: Rollout) -> None:
    """Put the template of the revision asked for into the Deployment; 0 is the one before."""
    new, old = sync_revision(rollout, create=True)
    everything = [rs for rs in [*old, new] if rs is not None]
    wanted = int(rollout.annotations[ROLLBACK]) or _last_revision(everything)
    if wanted == 0:
        _warn(rollout, "DeploymentRollbackRevisionNotFound", "Unable to find last revision.")
        _write(rollout)
        return
    target = next((rs for rs in everything if rs.revision == wanted), None)
    if target is None:
        text = "Unable to find the revision to rollback to."
        _warn(rollout, "DeploymentRollbackRevisionNotFound", text)
    elif same_template(rollout.spec["template"], target.template):
        text = (
            "The rollback revision contains the same template as current deployment "
            f'"{rollout.name}"'
        )
        _warn(rollout, "DeploymentRollbackTemplateUnchanged", text)
    else:
        _take_over(rollout, target)
        text = f'Rolled back deployment "{rollout.name}" to revision {wanted}'
        rollout.event("Normal", "DeploymentRollback", text)
    _write(rollout)


def _last_revision(everything: list[ReplicaSet]) -> int:
    """Return the second highest revision; 0 when there is none."""
    revisions = sorted((rs.revision for rs in everything), reverse=True)
    return revisions[1] if len(revisions) > 1 else 0


def _take_over(rollout: Rollout, target: ReplicaSet) -> None:
    template = {**target.template, "metadata": dict(target.template.get("metadata", {}))}
    labels = dict(template["metadata"].get("labels") or {})
    labels.pop(HASH_LABEL, None)
    template["metadata"]["labels"] = labels
    rollout.spec["template"] = template
    kept = {key: value for key, value in rollout.annotations.items() if key in NOT_COPIED}
    copied = {key: value for key, value in target.annotations.items() if key not in NOT_COPIED}
    rollout.object["metadata"]["annotations"] = {**kept, **copied}


def _write(rollout: Rollout) -> None:
    rollout.annotations.pop(ROLLBACK, None)
    rollout.object["metadata"].pop("resourceVersion", None)
    rollout.context.world.update(rollout.object)


def _warn(rollout: Rollout, reason: str, text: str) -> None:
    rollout.event("Warning", reason, text)
