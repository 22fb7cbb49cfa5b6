"""The fields of one op as a file has them, with the parameters of a workload put in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wavetank import _core
from wavetank.bench.errors import WorkloadError

if TYPE_CHECKING:
    from pathlib import Path


class Params:
    """The parameters of a workload, and which of them were asked for."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)
        self._used: set[str] = set()

    def get(self, reference: str) -> Any:
        """Return what ``$name`` stands for.

        Raises
        ------
        ValueError
            When there is no such parameter.
        """
        name = reference.removeprefix("$")
        self._used.add(name)
        if name not in self._given:
            raise ValueError(f"parameter {name} is undefined")
        return self._given[name]

    def find(self, name: str) -> Any:
        """Return a parameter by name, ``None`` when there is none."""
        return self.get(name) if name in self._given else None

    def unused(self) -> list[str]:
        """Return the names nobody asked for."""
        return sorted(set(self._given) - self._used)


class Fields:
    """The fields of an op, taken one by one; what is left over is unknown.

    Field names are compared without regard to case, as Go's JSON decoder does.

    Parameters
    ----------
    given
        The op as the file has it.
    params
        What ``$name`` stands for.
    place
        File, test case, workload and op, for messages.
    folder
        Where paths begin.
    """

    def __init__(self, given: Mapping[str, Any], params: Params, place: str, folder: Path) -> None:
        self.place = place
        self.folder = folder
        self.params = params
        self._given = {str(name).lower(): (str(name), value) for name, value in given.items()}

    def fault(self, what: str) -> WorkloadError:
        """Return an error that says where it is."""
        return WorkloadError(f"{self.place}: {what}")

    def take(self, name: str) -> Any:
        """Return a field as it is, ``None`` when it is absent."""
        return self._given.pop(name.lower(), (name, None))[1]

    def whole(self, name: str, default: int | None = 0) -> int:
        """Return a whole number that is not negative, from the field or its parameter."""
        written, reference = self.take(name), self.take(f"{name}Param")
        value, told = written, f"{name}={written}"
        if reference is not None:
            value = self._param(f"{name}Param", reference)
            told = f"{name}Param={reference!r}, which is {value!r}"
            if isinstance(value, float):
                value = int(value)
        elif written is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.fault(f"invalid {told}: it is a whole number from 0 on")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false, from the field or its parameter."""
        value, reference = self.take(name), self.take(f"{name}Param")
        if reference is not None:
            value = self._param(f"{name}Param", reference)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self.fault(f"invalid {name}={value!r}: it is true or false")
        return value

    def duration(self, name: str) -> int:
        """Return a duration in nanoseconds, from the field or its parameter; 0 when absent."""
        value, reference = self.take(name), self.take(f"{name}Param")
        if reference is not None:
            value = self._param(f"{name}Param", reference)
        if value is None:
            return 0
        try:
            return _core.parse_duration(value)
        except (TypeError, ValueError):
            raise self.fault(f"invalid {name}={value!r}: it is a duration such as 10s") from None

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return a text."""
        value = self.take(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.fault(f"invalid {name}={value!r}: it is a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.take(name)
        if value is None:
            return ()
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        if not is_list or not all(isinstance(item, str) for item in value):
            raise self.fault(f"invalid {name}={value!r}: it is a list of texts")
        return tuple(value)

    def labels(self, name: str) -> dict[str, str]:
        """Return a map from text to text."""
        value = self.mapping(name) or {}
        if not all(isinstance(item, str) for item in value.values()):
            raise self.fault(f"invalid {name}={value!r}: labels are texts")
        return {str(key): item for key, item in value.items()}

    def mapping(self, name: str) -> dict[str, Any] | None:
        """Return a map, ``None`` when it is absent."""
        value = self.take(name)
        if value is not None and not isinstance(value, Mapping):
            raise self.fault(f"invalid {name}={value!r}: it is a map")
        return None if value is None else dict(value)

    def path(self, name: str, *, wanted: bool = False) -> Path | None:
        """Return the path of a template, relative to the folder of the benchmark file."""
        value = self.text(name)
        if not value:
            if wanted:
                raise self.fault(f"{name} must be set")
            return None
        return self.folder / value

    def inner(self, given: Mapping[str, Any], what: str) -> Fields:
        """Return the fields of a map within this op."""
        return Fields(given, self.params, f"{self.place}: {what}", self.folder)

    def finish(self) -> None:
        """Refuse what is left over.

        Raises
        ------
        WorkloadError
            When a field is unknown.
        """
        for name, _ in self._given.values():
            raise self.fault(f'unknown field "{name}"')

    def _param(self, name: str, reference: Any) -> Any:
        if not isinstance(reference, str) or not re.fullmatch(r"\$.+", reference):
            raise self.fault(f"invalid {name}={reference!r}: a parameter is written $name")
        try:
            return self.params.get(reference)
        except ValueError as error:
            raise self.fault(f"{name}={reference!r}: {error}") from None
