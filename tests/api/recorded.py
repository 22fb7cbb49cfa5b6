"""Recorded answers of the API server, without what differs from one server to the next.

A line of a golden file is a case and its answer: ``on`` names an object of ``objects.yaml``,
``edit`` changes it; the answer is a code and either ``stored``, what the server changed of what
it was sent (or, in an update, of what it had), or ``reason``, ``message`` and ``causes``.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .edits import difference

Object = dict[str, Any]

FOLDER = Path(__file__).resolve().parent.parent / "golden" / "apiserver"

_SERVERS_OWN = ("uid", "creationTimestamp", "resourceVersion", "managedFields", "selfLink")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(\.[0-9]+)?(Z| \+0000 UTC)")


@cache
def objects() -> dict[str, Object]:
    """Valid objects by ``Kind/name``."""
    documents = yaml.safe_load_all((FOLDER / "objects.yaml").read_text())
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in documents}


@cache
def statuses() -> dict[str, Object]:
    """Statuses that some of the objects may have."""
    loaded: dict[str, Object] = yaml.safe_load((FOLDER / "statuses.yaml").read_text())
    return loaded


@cache
def cases(file: str) -> list[Object]:
    """Return the lines of a golden file."""
    return [json.loads(line) for line in (FOLDER / file).read_text().splitlines()]


def accepted(code: int) -> bool:
    """Whether the server did what it was asked."""
    return code < 300


def given_in(case: Object) -> Object:
    """Return what a user wrote in the case of an update, in the shape of an object."""
    name = case["on"]
    return {**objects()[name], "edit": case["edit"], "status": statuses().get(name)}


def in_any_order(answer: Object) -> Object:
    """Return an answer whose causes come in no fixed order."""
    return {**answer, "causes": sorted(answer["causes"]), "order": "any"}


def answer_of(code: int, answer: Object, given: Object, before: Object | None = None) -> Object:
    """Return an answer as golden files have it.

    Parameters
    ----------
    code, answer
        What the server said.
    given
        What a user wrote: what is in it is not masked.
    before
        In an update, the object as it was.
    """
    if not code:
        return {"code": 0}
    mask = _Mask(given, [before or {}, answer])
    if accepted(code):
        first = mask(_shared(given if before is None else before))
        return {"code": code, "stored": difference(first, mask(_shared(answer)))}
    told: Object = mask({"reason": answer["reason"], "message": answer["message"]})
    causes = mask((answer.get("details") or {}).get("causes") or [])
    if causes:
        told["causes"] = [" ".join(_cause(cause)) for cause in causes]
        # Both follow from the causes, and there are hundreds of them.
        if (told["reason"], told["message"]) == ("Invalid", _summary(given, causes)):
            told = {"causes": told["causes"]}
    return {"code": code, **told}


def _cause(cause: Object) -> tuple[str, str]:
    field, message = cause.get("field", ""), cause.get("message", "")
    return cause.get("reason", "").removeprefix("FieldValue"), f"{field}: {message}"


def _summary(given: Object, causes: list[Object]) -> str:
    group = given["apiVersion"].rpartition("/")[0]
    kind = f"{given['kind']}.{group}" if group else given["kind"]
    name = (given.get("metadata") or {}).get("name", "")
    sentences = list(dict.fromkeys(_cause(cause)[1] for cause in causes))
    listed = sentences[0] if len(sentences) == 1 else f"[{', '.join(sentences)}]"
    return f'{kind} "{name}" is invalid: {listed}'


def _shared(document: Object) -> Object:
    metadata = {
        key: value
        for key, value in (document.get("metadata") or {}).items()
        if key not in _SERVERS_OWN
    }
    prefix = metadata.get("generateName")
    if prefix and metadata.get("name", prefix) != prefix and len(metadata["name"]) >= len(prefix):
        generated = metadata["name"].startswith(prefix[:58])
        metadata["name"] = "<generated>" if generated else metadata["name"]
    return {**document, "metadata": metadata}


class _Mask:
    """Writes uids, times, addresses and ports that nobody asked for in one way."""

    def __init__(self, given: Object, documents: list[Object]) -> None:
        self.given = json.dumps(given)
        self.words: dict[str, str] = {}
        for document in documents:
            if document.get("kind") == "Service":
                self._allocated(document.get("spec") or {})

    def _allocated(self, spec: Object) -> None:
        for address in [spec.get("clusterIP"), *(spec.get("clusterIPs") or [])]:
            if address not in {None, "", "None"}:
                self._hide(address, "10.96.9.9")
        self._hide(str(spec.get("healthCheckNodePort") or ""), "32000")
        for number, port in enumerate(spec.get("ports") or []):
            self._hide(str(port.get("nodePort") or ""), str(31000 + number))

    def _hide(self, text: str, word: str) -> None:
        if text and text not in self.given:
            self.words.setdefault(text, word)

    def __call__(self, document: Any) -> Any:
        text = json.dumps(document)
        for actual, word in self.words.items():
            text = re.sub(rf"(?<![0-9.]){re.escape(actual)}(?![0-9.])", word, text)
        text = _UID.sub(self._unless_given("<uid>"), text)
        return json.loads(_TIME.sub(self._unless_given("<time>"), text))

    def _unless_given(self, word: str) -> Any:
        return lambda match: match[0] if match[0] in self.given else word
