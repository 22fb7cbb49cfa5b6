"""Dropping a required term of the pod's own affinity or anti-affinity to other pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavetank.explain.change import Change, Operation, Patch
from wavetank.explain.words import REQUIRED, pod_terms, term

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wavetank.explain.facts import No
    from wavetank.explain.trials import Case

#: The bit from which on terms of anti-affinity are counted.
_ANTI = 32


def fixes(case: Case, at: int, no: No) -> Iterator[Change]:  # noqa: ARG001 - one shape for all
    """Yield each unmet term dropped alone, and all of them together."""
    near = _bits(no.detail, 0, len(pod_terms(case.spec, "podAffinity")))
    away = _bits(no.detail, _ANTI, len(pod_terms(case.spec, "podAntiAffinity")))
    if not away:
        for place in near:
            yield dropped(case, "podAffinity", [place])
    if not near:
        for place in away:
            yield dropped(case, "podAntiAffinity", [place])
    if len(near) + len(away) < 2:
        return
    parts = [("podAffinity", near), ("podAntiAffinity", away)]
    changes = [dropped(case, which, places) for which, places in parts if places]
    yield changes[0] if len(changes) == 1 else changes[0].together(changes[1])


def _bits(detail: int, first: int, count: int) -> list[int]:
    return [at for at in range(count) if detail >> (first + at) & 1]


def dropped(case: Case, which: str, places: list[int]) -> Change:
    """Return the change that drops some terms."""
    terms = pod_terms(case.spec, which)
    path = f"/spec/affinity/{which}/{REQUIRED}"
    operations: list[Operation]
    if len(places) == len(terms):
        operations = [{"op": "remove", "path": path}]
    else:
        operations = [{"op": "remove", "path": f"{path}/{at}"} for at in reversed(places)]
    word = "anti-affinity" if which == "podAntiAffinity" else "affinity"
    return Change(
        kind=word,
        text=f"drop the {word} to {' and '.join(term(terms[at]) for at in places)}",
        target=case.target,
        field=f"spec.affinity.{which}.{REQUIRED}[{','.join(map(str, places))}]",
        old=terms[places[0]] if len(places) == 1 else [terms[at] for at in places],
        patches=(Patch(case.target, case.namespace, operations, anew=True),),
        size=len(places),
    )
