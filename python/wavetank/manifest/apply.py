"""Applying manifests to a cluster, as ``kubectl apply`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from wavetank import _core
from wavetank.errors import ApiError, ApplyError, ManifestError, bad_request

from . import advice, fields
from .applied import Applied, AppliedObject, Cause, Failure, Notice, Place
from .load import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .target import Target

#: Objects applied per call, so that Ctrl-C is heard between two of them.
BATCH = 256


def apply(
    cluster: Target,
    source: Any,
    *,
    namespace: str | None = None,
    strict: bool = False,
    recursive: bool = False,
    dry_run: bool = False,
) -> Applied:
    """Apply manifests.

    Parameters
    ----------
    source
        See :func:`load`.
    namespace
        The namespace of objects that name none; one that names another is refused.
    strict
        Refuse objects with unknown or duplicate fields instead of warning about them.
    recursive
        Read folders within folders too.
    dry_run
        Check everything and change nothing.

    Returns
    -------
    Applied
        One entry per object, in order.

    Raises
    ------
    FileNotFoundError, ManifestError
        When a source cannot be read; nothing is applied then.
    ApplyError
        When objects were refused. Each object is applied as a whole or not at all; the others
        are applied all the same and listed in ``.applied``.
    """
    documents = load(source, recursive=recursive)
    if not documents:
        raise ManifestError("no objects passed to apply")
    applied = Applied()
    failures: list[Failure] = []
    taken: list[_core.Document] = []
    for document, outcome in _apply_each(cluster, documents, namespace, strict, dry_run):
        if isinstance(outcome, Exception):
            failures.append(failure(document, outcome))
            continue
        word, name, place, warnings = outcome
        applied.append(AppliedObject(name, place, word, Place.of(document), dry_run))
        applied.warnings += _warnings(document, warnings)
        taken.append(document)
    applied.warnings += advice.repeated(applied)
    applied.warnings += advice.about(cluster.world, taken, namespace)
    if failures:
        raise ApplyError(failures, applied)
    return applied


def _apply_each(
    cluster: Target,
    documents: Sequence[_core.Document],
    namespace: str | None,
    strict: bool,
    dry_run: bool,
) -> Iterator[tuple[_core.Document, Any]]:
    """Apply documents in batches; yield each with what became of it."""
    validation: Literal["Strict", "Warn"] = "Strict" if strict else "Warn"
    for start in range(0, len(documents), BATCH):
        batch = documents[start : start + BATCH]
        doubtful = {
            at: fault
            for at, item in enumerate(batch)
            if (fault := _fault(cluster, item, namespace, strict))
        }
        sound = [item for at, item in enumerate(batch) if at not in doubtful]
        outcomes = iter(
            cluster.world.apply_all(sound, namespace, dry_run=dry_run, field_validation=validation)
        )
        for at, document in enumerate(batch):
            yield document, doubtful.get(at) or next(outcomes)


def _fault(
    cluster: Target, document: _core.Document, namespace: str | None, strict: bool
) -> Exception | None:
    """Return why a document cannot even be offered to the cluster."""
    fault: Exception | None = None
    if document.text("kind") is None:
        fault = not_an_object(document)
    elif namespace is not None:
        fault = _elsewhere(cluster, document, namespace)
    if fault is None and strict:
        duplicates = [text for _, text in document.notices() if text.startswith("duplicate")]
        if duplicates:
            return bad_request(f"strict decoding error: {', '.join(duplicates)}")
    return fault


def _elsewhere(cluster: Target, document: _core.Document, namespace: str) -> Exception | None:
    """Return the sentence for an object of another namespace than the one asked for."""
    own = document.text("metadata", "namespace")
    if not own or own == namespace:
        return None
    kind = cluster.world.kind_of(document.text("apiVersion") or "", document.text("kind") or "")
    if kind is None or not kind["namespaced"]:
        return None
    return bad_request(
        f'the namespace from the provided object "{own}" does not match the namespace '
        f"\"{namespace}\". You must pass '--namespace={own}' to perform this operation."
    )


def not_an_object(document: _core.Document) -> ManifestError | None:
    """Return the sentence for a document that is no object at all."""
    value = document.object()
    if isinstance(value, dict):
        return None
    kind = "list" if isinstance(value, list) else type(value).__name__
    words = {"str": "text", "int": "a number", "float": "a number", "bool": "a truth value"}
    found = words.get(kind, f"a {kind}")
    return ManifestError(f"a document of a manifest is an object, this one is {found}")


def failure(document: _core.Document, error: Exception) -> Failure:
    """Return what is wrong with a document, field by field."""
    causes = tuple(_causes(document, error))
    field = causes[0].field if causes else ""
    return Failure(Place.of(document, field), title(document), error, causes)


def _causes(document: _core.Document, error: Exception) -> Iterator[Cause]:
    value = document.object()
    details = error.status.get("details", {}) if isinstance(error, ApiError) else {}
    for cause in details.get("causes", []):
        field = cause.get("field", "")
        yield Cause(field, cause.get("message", ""), fields.line(document, field))
    if not details.get("causes"):
        field = fields.of_message(str(error), value)
        if field:
            message = str(error)
            if field not in message and "quantit" in message:
                message += f": {field} is {_core.to_json(fields.at(value, field))}"
            yield Cause(field, message, fields.line(document, field))


def title(document: _core.Document) -> str:
    """Return kind and name of a document as kubectl prints them, as far as it has them."""
    kind = (document.text("kind") or "").lower()
    group = (document.text("apiVersion") or "").rpartition("/")[0]
    name = document.text("metadata", "name") or document.text("metadata", "generateName")
    qualified = f"{kind}.{group}" if group else kind
    return "/".join(part for part in (qualified if kind else "", name) if part)


def _warnings(document: _core.Document, warnings: Sequence[str]) -> Iterator[Notice]:
    """Yield what the reader and the cluster had to say about a document."""
    for line, text in document.notices():
        yield Notice(text, Place(document.source, document.number, line))
    value = document.object() if warnings else None
    for text in warnings:
        yield Notice(text, Place.of(document, fields.of_message(text, value)))
