"""Dumps of ``kubectl get -A -o yaml`` as the state of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from wavetank import _core
from wavetank.errors import ApiError, ApplyError, ManifestError

from .applied import Applied, AppliedObject, Notice, Place
from .apply import failure, not_an_object
from .load import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .target import Target

#: Kinds that can be created and that no server keeps.
_QUESTIONS = frozenset(
    (
        "Binding",
        "LocalSubjectAccessReview",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "SubjectAccessReview",
        "TokenReview",
    )
)


def restore(
    cluster: Target, source: Any, *, strict: bool = False, recursive: bool = False
) -> Applied:
    """Put the objects of a dump back as they were: uids, times, status, bound pods and all.

    Parameters
    ----------
    source
        See :func:`load`; usually the file that ``kubectl get -A -o yaml`` wrote.
    strict
        Refuse objects of kinds the cluster does not know, and unknown fields, instead of
        leaving the former out and keeping the latter with a warning.
    recursive
        Read folders within folders too.

    Returns
    -------
    Applied
        One entry per object. ``.warnings`` tells what the dump does not have: namespaces, which
        are created, owners, nodes, and kinds.

    Raises
    ------
    FileNotFoundError, ManifestError
        When a source cannot be read; nothing is restored then.
    ApplyError
        When objects were refused; the others are restored.
    """
    return restore_documents(cluster, dumped(source, recursive=recursive), strict=strict)


def dumped(source: Any, *, recursive: bool = False) -> list[_core.Document]:
    """Read a dump; one without any object is an error."""
    documents = load(source, recursive=recursive)
    if not documents:
        raise ManifestError("the dump holds no objects")
    return documents


def restore_documents(
    cluster: Target, documents: Sequence[_core.Document], *, strict: bool = False
) -> Applied:
    """Put documents back; see :func:`restore`."""
    failures = [
        failure(document, fault)
        for document in documents
        if document.text("kind") is None and (fault := not_an_object(document))
    ]
    unknown: dict[str, int] = {}
    sound = []
    for document in documents:
        if not strict and _is_question(cluster, document):
            _count(unknown, document)
        elif document.text("kind") is not None:
            sound.append(document)
    validation: Literal["Strict", "Warn"] = "Strict" if strict else "Warn"
    outcomes, notes = cluster.world.restore_all(sound, field_validation=validation)
    restored = Applied()
    for document, outcome in zip(sound, outcomes, strict=True):
        if not isinstance(outcome, Exception):
            word, name, namespace, warnings = outcome
            place = Place.of(document)
            restored.append(AppliedObject(name, namespace, word, place))
            restored.warnings += [Notice(text, place) for text in warnings]
        elif not strict and _is_foreign(cluster, document, outcome):
            _count(unknown, document)
        else:
            failures.append(failure(document, outcome))
    restored.warnings += [Notice(text) for text in notes]
    restored.warnings += [Notice(_left_out(kind, count)) for kind, count in unknown.items()]
    if failures:
        raise ApplyError(failures, restored)
    return restored


def _count(unknown: dict[str, int], document: _core.Document) -> None:
    kind = f"{document.text('apiVersion')} {document.text('kind')}"
    unknown[kind] = unknown.get(kind, 0) + 1


def _is_question(cluster: Target, document: _core.Document) -> bool:
    """Whether an object is only ever asked about, such as a review or a binding."""
    if document.text("kind") not in _QUESTIONS:
        return False
    kind = cluster.world.kind_of(document.text("apiVersion") or "", document.text("kind") or "")
    return kind is not None and "get" not in kind["verbs"]


def _is_foreign(cluster: Target, document: _core.Document, error: Exception) -> bool:
    """Whether an object is of a kind that no cluster stores, or that this one does not know."""
    if not isinstance(error, ApiError):
        return False
    version, kind = document.text("apiVersion"), document.text("kind")
    if not version or not kind:
        return False
    return error.code == 405 or cluster.world.kind_of(version, kind) is None


def _left_out(kind: str, count: int) -> str:
    objects = "1 object was" if count == 1 else f"{count} objects were"
    return f"{kind} is no kind this cluster stores: {objects} left out"


def moment(documents: Sequence[_core.Document]) -> int | None:
    """Return the latest time a dump tells of, nanoseconds since the Unix epoch."""
    return _core.latest_time(list(documents))
