"""Changes of a document written as paths: what recorded cases and answers are kept as.

``{"spec/containers/0/image": "web:2", "spec/paused": None}`` sets one field and removes another.
A ``/`` within a key is written ``~1``, a ``~`` is ``~0``, as in JSON pointers. A list is changed
element by element when its length stays, else it is written whole.
"""

from __future__ import annotations

import copy
from typing import Any

Object = dict[str, Any]
Edits = dict[str, Any]


def edited(document: Object, edits: Edits) -> Object:
    """Return a changed copy. Objects on the way that are missing are made."""
    result = copy.deepcopy(document)
    for path, value in edits.items():
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]
        holder: Any = result
        for part in parents:
            if isinstance(holder, list):
                holder = holder[int(part)]
                continue
            if holder.get(part) is None:
                holder[part] = {}
            holder = holder[part]
        _put(holder, last, copy.deepcopy(value))
    return result


def _put(holder: Any, key: str, value: Any) -> None:
    if isinstance(holder, dict):
        if value is None:
            holder.pop(key, None)
        else:
            holder[key] = value
    elif value is None:
        holder.pop(int(key))
    elif int(key) == len(holder):
        holder.append(value)
    else:
        holder[int(key)] = value


def difference(before: Any, after: Any, path: str = "") -> Edits:
    """Return what makes `after` of `before`; nulls in `after` count as absent."""
    if isinstance(before, dict) and isinstance(after, dict):
        edits: Edits = {}
        for key in sorted(before.keys() | after.keys()):
            part = key.replace("~", "~0").replace("/", "~1")
            edits |= difference(before.get(key), after.get(key), f"{path}/{part}" if path else part)
        return edits
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        edits = {}
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            edits |= difference(old, new, f"{path}/{number}")
        return edits
    same = before == after and type(before) is type(after)
    return {} if same else {path: after}
