"""Pools on the command line: ``12xm5.large,zones=3``, ``4x2cpu,4Gi``, ``4xcpu=2,memory=4Gi``."""

from __future__ import annotations

import re
from typing import Any

from .pool import Pool, PoolError, read_taint

_COUNT = re.compile(r"(?P<count>[+-]?\d+)x(?P<rest>.+)", re.DOTALL)
_CPU = re.compile(r"(?P<cpu>[+-]?[\d.]+m?)\s*(?:cpu|cores?)")
_MEMORY = re.compile(r"[+-]?[\d.]+(?:[EPTGMk]|[EPTGMK]i|[eE][+-]?\d+)?")
_NUMBERS = ("pods", "gpu")
_TEXTS = ("cpu", "memory", "region", "name", "arch")
_RESERVED = "reserved-"
_KEYS = (
    *_TEXTS,
    *_NUMBERS,
    "disk",
    "zones",
    "label",
    "taint",
    "reserved",
    "reserved-cpu",
    "reserved-memory",
)


def parse(text: str) -> Pool:
    """Return the pool a word of the command line stands for.

    The form is ``[COUNTx]WHAT[,key=value]...``. WHAT is a machine of the catalogue, or cores and
    memory: ``2cpu,4Gi`` or ``cpu=2,memory=4Gi``. Keys are ``zones`` (a number, or names with
    ``|`` between), ``region``, ``name``, ``pods``, ``gpu``, ``disk``, ``arch``, ``label=k=v``,
    ``taint=k=v:Effect``, ``reserved`` (``provider`` or ``none``), ``reserved-cpu``,
    ``reserved-memory``, and any resource with a slash in its name.

    Examples
    --------
    >>> from wavetank.nodes import parse
    >>> pool = parse("12xm5.large,zones=3")
    >>> pool.count, pool.instance_type, pool.zone_names()
    (12, 'm5.large', ['a', 'b', 'c'])
    >>> parse("4x2cpu,4Gi,taint=gpu:NoSchedule").memory
    '4Gi'

    Raises
    ------
    PoolError
        When the text is no pool; the message quotes it.
    """
    try:
        return _parse(text.strip())
    except PoolError as error:
        raise PoolError(f"pool {text!r}: {error}") from None


def _parse(text: str) -> Pool:
    options: dict[str, Any] = {"labels": {}, "taints": [], "resources": {}, "reserved": {}}
    match = _COUNT.fullmatch(text)
    rest = match["rest"] if match else text
    if match:
        options["count"] = int(match["count"])
    for place, part in enumerate(rest.split(",")):
        _read(part.strip(), options, first=place == 0)
    if not options["reserved"]:
        del options["reserved"]
    pool = Pool(**options)
    # What can be checked without a catalogue is checked here, where the text can be quoted.
    pool._check()  # noqa: SLF001 - our own class
    pool.zone_names()
    return pool


def _read(part: str, options: dict[str, Any], *, first: bool) -> None:
    """Take in one part between commas."""
    key, has_value, value = part.partition("=")
    if has_value:
        _set(key.strip(), value.strip(), options)
        return
    cores = _CPU.fullmatch(part)
    if cores:
        _once("cpu", cores["cpu"], options)
    elif first and part:
        options["instance_type"] = part
    elif _MEMORY.fullmatch(part):
        _once("memory", part, options)
    else:
        raise PoolError(f"{part!r} is neither key=value nor an amount; keys are {', '.join(_KEYS)}")


def _set(key: str, value: str, options: dict[str, Any]) -> None:  # noqa: C901 - one case a key
    if not value:
        raise PoolError(f"{key}= has no value")
    if key in _TEXTS:
        _once(key, value, options)
    elif key in _NUMBERS:
        _once(key, _number(key, value), options)
    elif key == "disk":
        _once("ephemeral_storage", value, options)
    elif key == "zones":
        names = [name for name in value.split("|") if name]
        _once("zones", _number(key, value) if _is_number(value) else names, options)
    elif key == "label":
        name, _, text = value.partition("=")
        options["labels"][name] = text
    elif key == "taint":
        options["taints"].append(read_taint(value))
    elif key == "reserved":
        options["reserved"] = value
    elif key.startswith(_RESERVED) and isinstance(options["reserved"], dict):
        options["reserved"][key.removeprefix(_RESERVED)] = value
    elif "/" in key:
        options["resources"][key] = value
    else:
        raise PoolError(f"there is no key {key!r}; keys are {', '.join(_KEYS)}")


def _once(key: str, value: Any, options: dict[str, Any]) -> None:
    if key in options:
        raise PoolError(f"{key} is there twice")
    options[key] = value


def _number(key: str, value: str) -> int:
    if not _is_number(value):
        raise PoolError(f"{key}={value} is not a number")
    return int(value)


def _is_number(value: str) -> bool:
    return re.fullmatch(r"[+-]?\d+", value) is not None
