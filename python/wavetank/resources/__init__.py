"""Kinds and their rules: what Kubernetes 1.36 fills in and what it refuses.

One module per API group declares its kinds; parts that several kinds share (pod
specifications, containers, volumes) have modules of their own. :func:`program` hands all of it
to the core as plain data, which is compiled once; every write, from a manifest, a controller or
the HTTP API, runs the same rules.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from . import (
    apps,
    autoscaling,
    batch,
    claims,
    core,
    discovery,
    extensions,
    metadata,
    networking,
    others,
    placement,
    podspec,
    policy,
    rbac,
    scheduling,
    storage,
)
from .kind import Kind

__all__ = ["Kind", "kinds", "program"]

_GROUPS = (
    core,
    apps,
    batch,
    networking,
    policy,
    rbac,
    storage,
    scheduling,
    autoscaling,
    discovery,
    extensions,
    others,
)


@cache
def kinds() -> tuple[Kind, ...]:
    """Every declared kind."""
    return tuple(kind for group in _GROUPS for kind in group.KINDS)


def program() -> dict[str, Any]:
    """All rules as plain data, for `Rules::compile` in the core."""
    return {
        "checks": {
            **podspec.shared(),
            "claim spec": claims.CLAIM_SPEC,
            "claim template": claims.CLAIM_TEMPLATE,
            "node selector": placement.NODE_SELECTOR,
            "job spec": batch.JOB_SPEC,
        },
        "steps": {
            **podspec.shared_steps(),
            "claim spec": claims.CLAIM_SPEC_DEFAULTS,
            "claim in a template": claims.CLAIM_IN_TEMPLATE_DEFAULTS,
            "job spec": batch.JOB_SPEC_DEFAULTS,
        },
        "cluster metadata": metadata.COMMON,
        "namespaced metadata": metadata.COMMON_NAMESPACED,
        "updated metadata": metadata.COMMON_UPDATE,
        "kinds": [kind.rules() for kind in kinds()],
    }
