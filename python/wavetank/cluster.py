"""The cluster: what a newcomer meets first."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _core, clock, show
from .controllers import built_in
from .controllers.base import Context, Controller, Watch
from .driver import Driver, Stopped
from .explaining import Explaining
from .files import is_saved, write_whole
from .latencies import Latencies
from .network import Network
from .network.ranges import to_core as ranges_to_core
from .parts import copied, read_numpy, whole_seed
from .program import rules
from .results import Table
from .scheduler import configuration
from .scheduling.plugins import Plugin, checked, loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from typing_extensions import Unpack

    from .catalogue import Catalogue
    from .kinds import Kind
    from .manifest import Applied
    from .network import Ranges
    from .nodes import Pool

#: What :meth:`Cluster.run` takes as its end.
Until = "str | float | timedelta | datetime | Callable[[Cluster], bool]"


class Cluster(Explaining, Network):
    """A Kubernetes cluster on a virtual clock.

    Objects are plain dicts in the API's own shape. Nothing happens until time passes: call
    :meth:`run`. The same seed and the same calls give the same cluster, to the last byte.

    Parameters
    ----------
    seed
        What every random choice derives from: generated names, uids, ties, delays.
    start
        The virtual time at the beginning, RFC 3339 or a datetime.
    latencies
        How long things take: ``"ideal"`` (nothing takes any time), ``"default"``, or
        :class:`Latencies`.
    events
        Which Kubernetes Events are kept: ``"all"``, ``"warnings"`` or ``"none"``.
    scheduler
        A ``KubeSchedulerConfiguration`` v1: a file, text or a dict, which may leave out
        ``apiVersion`` and ``kind``. It may also have ``tieBreak``: ``"oracle"``, ``"seeded"`` or
        ``"first-by-name"``.
    plugins
        Scheduling plugins of one's own (:mod:`wavetank.scheduling`). The configuration names
        them like any other plugin; where it lists no profiles, they are in the default profile.
    controllers
        The controllers to run; the built-in ones when ``None``.
    load_balancer_pool
        Where load balancers have their addresses: CIDR blocks or ranges ``first-last`` of either
        family, ``203.0.113.0/24,2001:db8:113::/112`` unless it is given. Only for the built-in
        controllers; see :class:`wavetank.controllers.loadbalancer.LoadBalancerController`.
    **ranges
        Where addresses come from: ``service_cidr``, ``pod_cidr``, ``node_cidr`` and more
        (:class:`wavetank.network.Ranges`). With a block of each family, separated by a comma,
        the cluster is dual-stack.

    Raises
    ------
    ValueError
        When the scheduler configuration, an expression of a plugin or a range is none.

    Examples
    --------
    >>> import wavetank as wt
    >>> cluster = wt.Cluster(seed=7)
    >>> _ = cluster.add_nodes(cpu="4", memory="16Gi", count=3)
    >>> _ = cluster.apply('''
    ... apiVersion: apps/v1
    ... kind: Deployment
    ... metadata: {name: web}
    ... spec:
    ...   replicas: 5
    ...   selector: {matchLabels: {app: web}}
    ...   template:
    ...     metadata: {labels: {app: web}}
    ...     spec: {containers: [{name: c, image: "web:1"}]}
    ... ''')
    >>> cluster.run().reason
    'settled'
    >>> int(cluster.pods["ready"].sum())
    5
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        start: str | datetime = clock.START,
        latencies: Latencies | str = "ideal",
        events: str = "all",
        scheduler: str | Path | Mapping[str, Any] | None = None,
        plugins: Sequence[Plugin] = (),
        controllers: Sequence[Controller] | None = None,
        load_balancer_pool: str | Sequence[str] | None = None,
        **ranges: Unpack[Ranges],
    ) -> None:
        own = checked(plugins)
        given = configuration(scheduler)
        world = _core.World(
            rules(),
            seed=whole_seed(seed),
            start_ns=clock.time_ns(start),
            latencies=Latencies.of(latencies).to_core(),
            scheduler=given.text,
            scheduler_file=given.file,
            plugins=[plugin.declared() for plugin in own],
            ranges=ranges_to_core(ranges),
        )
        world.set_event_policy(events)
        self._attach(world, (), own)
        given_or_own = built_in(load_balancer_pool) if controllers is None else controllers
        for controller in given_or_own:
            self.add_controller(controller)

    def _attach(
        self,
        world: _core.World,
        controllers: Sequence[Controller],
        plugins: Sequence[Plugin] = (),
    ) -> None:
        read_numpy(world)
        self._world = world
        self._controllers = list(controllers)
        self._plugins = tuple(plugins)
        self._driver = Driver(world, self._controllers, self._plugins)
        self._kinds: dict[str, Kind] = {}
        #: What the dump this cluster came from does not have; see :meth:`from_dump`.
        self.notes: list[str] = []

    # Time

    @property
    def now(self) -> datetime:
        """The virtual time, in UTC, cut to microseconds."""
        return clock.to_datetime(self._world.now_ns)

    @property
    def now_ns(self) -> int:
        """The virtual time, nanoseconds since the Unix epoch."""
        return self._world.now_ns

    def run(
        self,
        until: str | float | timedelta | datetime | Callable[[Cluster], bool] = "settled",
        *,
        at_most: str | float | timedelta | None = None,
        progress: bool | None = None,
        on_step: Callable[[], None] | None = None,
    ) -> Stopped:
        """Let virtual time pass.

        Parameters
        ----------
        until
            ``"settled"``: until nothing is left to happen but timeouts. A duration (``"10m"``,
            seconds, a timedelta) counts from now; a time (RFC 3339, a datetime) is taken as it
            is. A function of the cluster is asked after every instant and ends the run when it
            answers true, or when nothing will ever happen again.
        at_most
            A duration after which to stop in any case. Give one with a function that may never
            answer true: pods without a place are tried again for ever.
        progress
            Show a progress line on standard error when the run takes over two seconds; ``None``
            means: when it is a terminal.
        on_step
            Called now and then while the run goes on, at least five times a second, and at its
            end, however it ends. It must not change the cluster.

        Returns
        -------
        Stopped
            Why and when the run ended; the reason is ``"settled"``, ``"deadline"`` or
            ``"predicate"``.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C, between two steps; the cluster is consistent and can go on.
        """
        now = self._world.now_ns
        limit = clock.FOREVER_NS
        if at_most is not None:
            limit = min(limit, now + clock.duration_ns(at_most))
            if limit < now:
                raise ValueError(f"at_most: {at_most} is a time in the past")
        if callable(until):
            return self._driver.run_until(lambda: until(self), limit, progress, on_step)
        if until == "settled":
            return self._driver.settle(limit, progress, on_step)
        return self._driver.run_to(min(limit, clock.until_ns(until, now)), progress, on_step)

    def advance(self, duration: str | float | timedelta) -> Stopped:
        """Let this much virtual time pass."""
        return self.run(until=duration)

    @property
    def latencies(self) -> dict[str, Any]:
        """The latencies in force, by name."""
        return self._world.latencies()

    @latencies.setter
    def latencies(self, latencies: Latencies | str) -> None:
        self._world.set_latencies(Latencies.of(latencies).to_core())

    # Nodes

    def add_nodes(
        self,
        source: str | Path | Mapping[str, Any] | Pool | None = None,
        *,
        count: int | None = None,
        zones: int | Sequence[str] | None = None,
        catalogue: Catalogue | str | Path | None = None,
        **options: Any,
    ) -> list[str]:
        """Add equal nodes.

        Parameters
        ----------
        source
            A machine of the catalogue, such as ``"m5.xlarge"``; a pool as the command line
            takes it, such as ``"12xm5.large,zones=3"``; a :class:`wavetank.nodes.Pool`; or Node
            manifests: a file, text or a dict. Without it say ``cpu`` and ``memory``.
        count
            How many; one when absent. Of a manifest, how many copies.
        zones
            How many zones (``3`` means a, b, c), or their names; nodes are dealt to them in
            turn.
        catalogue
            A table of machines of your own, a CSV file, on top of the one that ships.
        **options
            The other fields of :class:`wavetank.nodes.Pool`: ``cpu``, ``memory``, ``pods``,
            ``gpu``, ``labels``, ``taints``, ``name``, ``reserved``, ...

        Returns
        -------
        list of str
            The names of the nodes.

        Raises
        ------
        ValueError
            When the description makes no sense or the machine is not in the catalogue.

        Examples
        --------
        >>> import wavetank as wt
        >>> cluster = wt.Cluster()
        >>> cluster.add_nodes("m5.xlarge", count=3, zones=["a", "b", "c"])
        ['m5-xlarge-0', 'm5-xlarge-1', 'm5-xlarge-2']
        >>> cluster.nodes["allocatable_cpu_milli"].tolist()
        [3920, 3920, 3920]
        """
        from .nodes import add_nodes  # noqa: PLC0415

        given = {"count": count, "zones": zones, **options}
        given = {name: value for name, value in given.items() if value is not None}
        return add_nodes(self._world, source, catalogue, **given)

    # Manifests

    def apply(self, source: Any, **options: Any) -> Applied:
        """Apply manifests as ``kubectl apply`` does.

        Parameters
        ----------
        source
            A file, a folder, ``"-"`` for standard input, YAML or JSON text, a dict, or a list
            of any of these.
        **options
            See :func:`wavetank.manifest.apply`: ``namespace``, ``strict``, ``recursive``,
            ``dry_run``.

        Returns
        -------
        wavetank.manifest.Applied
            One entry per object; prints as kubectl prints it.
        """
        from .manifest import apply  # noqa: PLC0415

        return apply(self, source, **options)

    def restore(self, source: Any, **options: Any) -> Applied:
        """Put the objects of a dump back as they were: uids, times, status, bound pods and all.

        Parameters
        ----------
        source
            As for :meth:`apply`; usually what ``kubectl get -A -o yaml`` wrote.
        **options
            See :func:`wavetank.manifest.restore`: ``strict``, ``recursive``.
        """
        from .manifest import restore  # noqa: PLC0415

        return restore(self, source, **options)

    # Results

    @property
    def pods(self) -> Table:
        """The pods as columns."""
        return Table(self._world, "pods")

    @property
    def nodes(self) -> Table:
        """The nodes as columns, with what the pods bound to each request."""
        return Table(self._world, "nodes")

    @property
    def events(self) -> Table:
        """The cluster's events as columns."""
        return Table(self._world, "events")

    # Controllers

    def add_controller(self, controller: Controller) -> None:
        """Add a controller; it starts from everything there is.

        Raises
        ------
        TypeError
            When it is no controller, or watches something that is no
            :class:`wavetank.controllers.Watch`.
        """
        given: Any = controller
        if not isinstance(given, Controller):
            kind = getattr(given, "__name__", type(given).__name__)
            raise TypeError(f"a controller is an instance of wavetank's Controller, not {kind}")
        context = Context(self._world)
        watches = []
        watched: Sequence[Any] = controller.watches()
        for watch in watched:
            if not isinstance(watch, Watch):
                name = type(controller).__name__
                raise TypeError(f"{name}.watches() returns Watch objects, not {watch!r}")
            watches.append(watch.to_core(context))
        self._world.add_controller(controller.name, watches)
        self._controllers.append(controller)

    # Forks and snapshots

    def fork(self) -> Cluster:
        """Return a branch: the same cluster, going its own way from here.

        It costs microseconds whatever the size; the branch pays for what it changes. Scheduling
        plugins are shared.

        Raises
        ------
        TypeError
            When a controller of one's own cannot be copied.
        """
        branch = object.__new__(type(self))
        controllers = [copied(controller) for controller in self._controllers]
        branch._attach(self._world.fork(), controllers, self._plugins)
        branch.notes = list(self.notes)
        return branch

    def __copy__(self) -> Cluster:
        return self.fork()

    def __deepcopy__(self, memo: dict[int, Any]) -> Cluster:
        return self.fork()

    def __reduce_ex__(self, protocol: Any) -> Any:
        data = self._world.to_bytes()
        # Protocol 5 lets the bytes travel beside the pickle, without a copy.
        payload = pickle.PickleBuffer(data) if int(protocol) >= 5 else data
        return _from_pickle, (payload, self._controllers, self._plugins)

    def save(self, path: str | Path) -> None:
        """Write the cluster to a file; :meth:`load` brings it back as it was.

        A file that is there already is replaced once the new one is whole.
        """
        write_whole(Path(path), self._world.to_bytes())

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        controllers: Sequence[Controller] | None = None,
        plugins: Sequence[Plugin] = (),
    ) -> Cluster:
        """Read a cluster from a file that :meth:`save` wrote, or from a dump.

        Parameters
        ----------
        path
            A saved cluster, or a dump as :meth:`from_dump` reads it.
        controllers
            The controllers the cluster had, in the order they were added; the built-in ones
            when ``None``.
        plugins
            The scheduling plugins the cluster had that are written in Python; expressions are
            saved with it.

        Raises
        ------
        FileNotFoundError
            When there is no such file.
        ValueError
            When the file is a saved cluster of another version, or of other plugins.
        ManifestError
            When it is neither a saved cluster nor a dump.
        """
        if path == "":
            raise FileNotFoundError('the path "" does not exist')
        path = Path(path)
        if is_saved(path):
            return cls._from_bytes(path.read_bytes(), controllers, plugins)
        return cls.from_dump(path, controllers=controllers, plugins=plugins)

    @classmethod
    def from_dump(
        cls,
        source: Any,
        *,
        start: str | datetime | None = None,
        strict: bool = False,
        **options: Any,
    ) -> Cluster:
        """Return a cluster in the state a dump of ``kubectl get -A -o yaml`` tells of.

        Parameters
        ----------
        source
            As for :meth:`apply`.
        start
            The virtual time to go on from; the latest time in the dump when ``None``.
        strict
            Refuse what the cluster does not know instead of leaving it out.
        **options
            As for :class:`Cluster`.

        Returns
        -------
        Cluster
            Its ``notes`` tell what the dump does not have: owners, nodes, namespaces.
        """
        from .manifest.restore import dumped, moment, restore_documents  # noqa: PLC0415

        documents = dumped(source)
        if start is None:
            latest = moment(documents)
            start = clock.START if latest is None else _core.format_time(latest)
        cluster = cls(start=start, **options)
        restored = restore_documents(cluster, documents, strict=strict)
        cluster.notes = [str(warning) for warning in restored.warnings]
        return cluster

    @classmethod
    def _from_bytes(
        cls,
        data: Any,
        controllers: Sequence[Controller] | None = None,
        plugins: Sequence[Plugin] = (),
    ) -> Cluster:
        import numpy as np  # noqa: PLC0415 - slow to import

        world = _core.World.from_bytes(np.frombuffer(data, dtype=np.uint8), rules())
        given = list(built_in() if controllers is None else controllers)
        saved = world.controller_names()
        if [controller.name for controller in given] != saved:
            raise ValueError(f"the saved cluster has the controllers {', '.join(saved)}")
        cluster = object.__new__(cls)
        cluster._attach(world, given, loaded(world.plugins(), plugins))
        return cluster

    def _repr_html_(self) -> str:
        # The events of events.k8s.io are those of the core group.
        kinds = [kind for kind in self.kinds() if kind.group != "events.k8s.io"]
        counts = ((kind.resource, len(self._world.matching(kind.id))) for kind in kinds)
        rows = [[name, f"{count:,}"] for name, count in counts if count]
        title = f"<p><b>Cluster</b> at {self.now:%Y-%m-%d %H:%M:%S} UTC</p>"
        return title + show.as_html(["kind", "objects"], rows, len(rows))

    def __repr__(self) -> str:
        nodes, pods = len(self.keys("nodes")), len(self.keys("pods"))
        return f"<Cluster {nodes} nodes, {pods} pods, {self.now:%Y-%m-%d %H:%M:%S}>"


def _from_pickle(
    data: Any, controllers: Sequence[Controller], plugins: Sequence[Plugin]
) -> Cluster:
    return Cluster._from_bytes(data, controllers, plugins)  # noqa: SLF001 - our own class
