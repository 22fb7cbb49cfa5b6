"""What a user declares: expressions, functions over columns, functions of one node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .nodes import Node, Nodes
    from .pod import Pod

#: The extension points a plugin can have code for.
POINTS = ("pre_filter", "filter", "score")


class Plugin:
    """A scheduling plugin; one of :class:`Expression`, :class:`Batch` and :class:`PerNode`.

    Attributes
    ----------
    name
        Its name in configurations and messages.
    weight
        The weight of its scores where a configuration gives none.
    normalize
        What becomes of its scores: ``None``, they are from 0 to 100 as they are; ``"default"``,
        Kubernetes' default normalisation, which makes the highest score of a pod's nodes 100;
        ``"reversed"``, the same with the highest becoming 0.
    reason
        What FailedScheduling says of nodes it rejects; ``node(s) didn't satisfy plugin NAME``
        when empty.
    resolvable
        Whether preempting pods may change its mind about a node; if not, its no is Kubernetes'
        UnschedulableAndUnresolvable.
    events
        The events that may let in pods it rejected, such as ``"Node/Add"`` or ``"Node"``; all
        when ``None``.
    """

    name: str = ""
    weight: int = 1
    normalize: str | None = None
    reason: str = ""
    resolvable: bool = True
    events: Sequence[str] | None = None

    #: The names a subclass may set; everything else is an error of its author's.
    _options: ClassVar[tuple[str, ...]] = (
        "weight",
        "normalize",
        "reason",
        "resolvable",
        "events",
    )

    def __init__(self, name: str = "", **options: Any) -> None:
        self.name = name or self.name or type(self).__name__
        for option, value in options.items():
            if option not in self._options:
                raise TypeError(f"{type(self).__name__} has no option {option!r}")
            setattr(self, option, value)

    def declared(self) -> dict[str, Any]:
        """Return what the core needs to know of it."""
        weight: Any = self.weight
        if isinstance(weight, bool) or not hasattr(weight, "__index__"):
            raise TypeError(f'plugin "{self.name}": a weight is a whole number, not {weight!r}')
        if isinstance(self.events, str):
            raise TypeError(f'plugin "{self.name}": events is a list of texts')
        return {
            "name": self.name,
            "weight": int(weight),
            "normalize": self.normalize or "",
            "reason": self.reason,
            "resolvable": bool(self.resolvable),
            "events": None if self.events is None else list(self.events),
            "expression": False,
        }


class Expression(Plugin):
    """A plugin in one line of text per point, compiled once and run in the core.

    It costs about what a built-in plugin costs: what it says of a node is remembered until the
    node or the kind of pod changes.

    Parameters
    ----------
    name
        Its name.
    score
        A number, such as ``"100 - 100 * node.requested.cpu / node.allocatable.cpu"``; cut to a
        whole number.
    filter
        A condition, such as ``"node.labels['tier'] == 'gold' or pod.priority > 10"``.
    pre_filter
        A condition on the pod alone; where it does not hold, no node is looked at.
    **options
        ``weight``, ``normalize``, ``reason``, ``resolvable``, ``events``: see :class:`Plugin`.

    Examples
    --------
    >>> import wavetank as wt
    >>> wt.Cluster(plugins=[wt.scheduling.Expression("Cheap", score="100 - * 3")])
    Traceback (most recent call last):
    ...
    ValueError: plugin "Cheap": score: column 7: "*" is out of place
    """

    def __init__(
        self,
        name: str = "",
        *,
        score: str = "",
        filter: str = "",  # noqa: A002 - the point's name
        pre_filter: str = "",
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.score = score
        self.filter = filter
        self.pre_filter = pre_filter

    def declared(self) -> dict[str, Any]:
        """Return what the core needs to know of it."""
        texts = {point: getattr(self, point) for point in POINTS}
        for point, text in texts.items():
            if not isinstance(text, str):
                raise TypeError(f'plugin "{self.name}": {point} is a text, not {text!r}')
        return {**super().declared(), **texts, "expression": True}

    def __repr__(self) -> str:
        texts = (f"{point}={getattr(self, point)!r}" for point in POINTS if getattr(self, point))
        return f"Expression({', '.join([repr(self.name), *texts])})"


class _Functions(Plugin):
    """A plugin whose code is functions: given, or methods of a subclass."""

    def __init__(self, name: str = "", **options: Any) -> None:
        functions = {point: options.pop(point, None) for point in POINTS}
        super().__init__(name, **options)
        for point, function in functions.items():
            if function is not None:
                setattr(self, point, function)

    def function(self, point: str) -> Callable[..., Any] | None:
        """Return the code for an extension point, if there is any."""
        found = getattr(self, point, None)
        if found is not None and not callable(found):
            raise TypeError(f'plugin "{self.name}": {point} is a function, not {found!r}')
        return found

    def declared(self) -> dict[str, Any]:
        """Return what the core needs to know of it."""
        points = {point: self.function(point) is not None for point in POINTS}
        return {**super().declared(), **points}

    def __repr__(self) -> str:
        points = ", ".join(point for point in POINTS if self.function(point) is not None)
        return f"<{type(self).__name__} {self.name}: {points}>"


class Batch(_Functions):
    """A plugin of functions over columns: asked once per pod for all nodes that matter.

    Pass the functions, or write them as methods of a subclass. Nodes that earlier plugins
    rejected are not asked about, and no more than the search for feasible nodes comes to.

    Parameters
    ----------
    name
        Its name; the name of the class when absent.
    filter
        ``filter(pod, nodes) -> bool[n]``: which nodes are right; or ``str[n]``, the reason for
        each that is not and ``""`` for each that is.
    score
        ``score(pod, nodes) -> int64[n]``: how good they are, from 0 to 100.
    pre_filter
        ``pre_filter(pod) -> bool | str``: whether the pod is to be scheduled at all, or why not.
    **options
        ``weight``, ``normalize``, ``reason``, ``resolvable``, ``events``: see :class:`Plugin`.

    Examples
    --------
    >>> import wavetank as wt
    >>> def emptiest(pod, nodes):
    ...     return 100 - 100 * nodes.requested_cpu_milli // nodes.allocatable_cpu_milli
    >>> wt.scheduling.Batch("Emptiest", score=emptiest)
    <Batch Emptiest: score>
    """

    def __init__(
        self,
        name: str = "",
        *,
        filter: Callable[[Pod, Nodes], NDArray[Any]] | None = None,  # noqa: A002 - the point
        score: Callable[[Pod, Nodes], NDArray[Any]] | None = None,
        pre_filter: Callable[[Pod], bool | str | None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, filter=filter, score=score, pre_filter=pre_filter, **options)


class PerNode(_Functions):
    """A plugin of functions of one node, for learning and for trying things out.

    It is slow: a Python call per node and decision.

    Parameters
    ----------
    name
        Its name; the name of the class when absent.
    filter
        ``filter(pod, node) -> bool | str``: whether the node is right, or why it is not.
    score
        ``score(pod, node) -> int``: how good it is, from 0 to 100.
    pre_filter
        ``pre_filter(pod) -> bool | str``: whether the pod is to be scheduled at all, or why not.
    **options
        ``weight``, ``normalize``, ``reason``, ``resolvable``, ``events``: see :class:`Plugin`.

    Examples
    --------
    >>> import wavetank as wt
    >>> class NoMondays(wt.scheduling.PerNode):
    ...     def filter(self, pod, node):
    ...         return "node(s) named after Monday" if node.name.startswith("mon") else True
    >>> NoMondays()
    <NoMondays NoMondays: filter>
    """

    def __init__(
        self,
        name: str = "",
        *,
        filter: Callable[[Pod, Node], bool | str] | None = None,  # noqa: A002 - the point
        score: Callable[[Pod, Node], int] | None = None,
        pre_filter: Callable[[Pod], bool | str | None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, filter=filter, score=score, pre_filter=pre_filter, **options)


def checked(plugins: Sequence[Any]) -> list[Plugin]:
    """Return the plugins given to a cluster as a list.

    Raises
    ------
    TypeError
        When one is no plugin.
    """
    if isinstance(plugins, Plugin):
        raise TypeError("plugins is a list of scheduling plugins: write plugins=[...]")
    found = list(plugins)
    for plugin in found:
        if not isinstance(plugin, Plugin):
            kind = getattr(plugin, "__name__", type(plugin).__name__)
            raise TypeError(f"a scheduling plugin is an Expression, Batch or PerNode, not {kind}")
    return found


def loaded(saved: Sequence[dict[str, Any]], given: Sequence[Any] | None) -> list[Plugin]:
    """Return the plugins of a saved cluster: expressions as they were saved, others as given.

    Raises
    ------
    ValueError
        When one that the cluster had is not given, or one that it did not have is.
    """
    plugins = {plugin.name: plugin for plugin in checked(given or ())}
    needed = [plugin["name"] for plugin in saved if not plugin["expression"]]
    missing = [name for name in needed if name not in plugins]
    if missing:
        names = ", ".join(missing)
        raise ValueError(
            f"the saved cluster has Python plugins, whose code is not saved: give {names} again "
            "with plugins=[...]"
        )
    found: list[Plugin] = []
    for declared in saved:
        plugin = plugins.pop(declared["name"], None)
        if declared["expression"]:
            # Its text is what was saved; one given again is passed over.
            kept = {key: value for key, value in declared.items() if key != "expression"}
            found.append(Expression(**kept))
            continue
        assert plugin is not None  # noqa: S101 - none is missing
        lacking = [point for point in POINTS if declared[point] and not plugin.declared()[point]]
        if lacking:
            raise ValueError(f'plugin "{plugin.name}" had a {lacking[0]} when it was saved')
        found.append(plugin)
    if plugins:
        raise ValueError(f"the saved cluster has no plugin {', '.join(plugins)}")
    return found
