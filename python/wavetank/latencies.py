"""How long things take on the virtual clock."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from . import _core

_MS = 1_000_000
_SECOND = 1_000_000_000


@dataclass(frozen=True)
class Constant:
    """Always the same duration, in nanoseconds."""

    ns: int = 0

    def to_core(self) -> dict[str, Any]:
        """Return the form the core reads."""
        return {"constant_ns": self.ns}


@dataclass(frozen=True)
class Uniform:
    """Any duration between two, both included, in nanoseconds."""

    low_ns: int
    high_ns: int

    def to_core(self) -> dict[str, Any]:
        """Return the form the core reads."""
        return {"uniform_ns": [self.low_ns, self.high_ns]}


@dataclass(frozen=True)
class LogNormal:
    """A log-normal duration: its median in nanoseconds, and sigma of the logarithm."""

    median_ns: int
    sigma: float

    def to_core(self) -> dict[str, Any]:
        """Return the form the core reads."""
        return {"lognormal": [self.median_ns, self.sigma]}


Distribution = Constant | Uniform | LogNormal


@dataclass(frozen=True)
class Latencies:
    """Every latency of a cluster.

    The default is :meth:`ideal`: nothing takes any time, which is what a capacity question
    wants. :meth:`default` is a healthy cloud cluster. A field given as text is a Go duration:
    ``Latencies(container_start="300ms")``.

    Attributes
    ----------
    api_write
        One mutating call to the API server, as its caller waits for it.
    watch_delay
        From a write to the moment a watching component sees it.
    scheduling_cycle
        One scheduling cycle; cycles are serial.
    sandbox_start
        Creation of a pod's sandbox and network.
    image_pull
        The fixed part of pulling one image; images are pulled one at a time per node, once.
    image_pull_bytes_per_second
        Bytes per second of a pull; 0 makes size irrelevant.
    image_bytes_assumed
        Size of an image nobody declared, in bytes.
    container_start
        Start of one container.
    status_detection
        From a container's change to its kubelet noticing.
    container_stop
        From asking a pod to stop to its containers being gone, at most its grace period.
    node_boot
        From adding a node to it being Ready.

    See Also
    --------
    docs/latencies.md : where the figures of the presets come from.
    """

    api_write: Distribution | str = Constant()
    watch_delay: Distribution | str = Constant()
    scheduling_cycle: Distribution | str = Constant()
    sandbox_start: Distribution | str = Constant()
    image_pull: Distribution | str = Constant()
    container_start: Distribution | str = Constant()
    status_detection: Distribution | str = Constant()
    container_stop: Distribution | str = Constant()
    node_boot: Distribution | str = Constant()
    image_pull_bytes_per_second: int = 0
    image_bytes_assumed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            if isinstance(given, str):
                object.__setattr__(self, field.name, Constant(_core.parse_duration(given)))

    @classmethod
    def ideal(cls) -> Latencies:
        """Nothing takes any time."""
        return cls()

    @classmethod
    def default(cls) -> Latencies:
        """Return those of a healthy cloud cluster, images pulled once per node."""
        return cls(
            api_write=Uniform(5 * _MS, 20 * _MS),
            watch_delay=Uniform(5 * _MS, 50 * _MS),
            scheduling_cycle=Uniform(2 * _MS, 10 * _MS),
            sandbox_start=LogNormal(500 * _MS, 0.3),
            image_pull=Constant(500 * _MS),
            container_start=Constant(300 * _MS),
            status_detection=Uniform(0, 1000 * _MS),
            container_stop=LogNormal(1000 * _MS, 0.5),
            node_boot=LogNormal(45 * _SECOND, 0.3),
            image_pull_bytes_per_second=40_000_000,
            image_bytes_assumed=150_000_000,
        )

    @classmethod
    def of(cls, given: Latencies | str) -> Latencies:
        """Return a preset by name, ``"ideal"`` or ``"default"``; or ``given`` itself."""
        if isinstance(given, Latencies):
            return given
        presets = {"ideal": cls.ideal, "default": cls.default}
        if not isinstance(given, str) or given not in presets:
            raise ValueError(f'latencies is "ideal", "default" or a Latencies, not {given!r}')
        return presets[given]()

    def with_(self, **changes: Any) -> Latencies:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def to_core(self) -> dict[str, Any]:
        """Return the form the core reads."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value.to_core() if hasattr(value, "to_core") else value
            for name, value in values.items()
        }
