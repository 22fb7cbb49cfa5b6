"""Answering the engine when it asks a plugin.

The engine never calls Python: it stops with a question, and goes on when there is an answer. So
an exception simply propagates, and the pod is still the first in the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wavetank._core import PluginError

from .nodes import Columns, Nodes
from .plugins import Batch, PerNode
from .pod import Pod

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from wavetank import _core

    from .plugins import Plugin

_MAX_SCORE = 100


class Asked:
    """Asks the plugins of a cluster what the engine wants to know."""

    def __init__(self, world: _core.World, plugins: Sequence[Plugin]) -> None:
        self._world = world
        self._plugins = plugins
        self._columns = Columns(world)

    def answer(self) -> None:
        """Ask the plugin the engine waits for, and pass its answer on.

        Raises
        ------
        PluginError
            When it raises or its answer makes no sense.
        """
        question = self._world.question()
        assert question is not None  # noqa: S101 - the engine said so
        (number, point, key), facts, (ids, on_trial, epoch) = question
        plugin = self._plugins[number]
        assert isinstance(plugin, (Batch, PerNode))  # noqa: S101 - others run in the core
        self._columns.begin(epoch)
        pod = Pod(self._world, key, facts)
        function = plugin.function(point)
        assert function is not None  # noqa: S101 - it was declared
        revision = self._world.revision
        call = _Call(plugin, point, pod)
        if point == "pre_filter":
            reason = call.pod_reason(function)
        else:
            nodes = Nodes(self._columns, ids, on_trial)
            answer = call.of_nodes(function, nodes)
        if self._world.revision != revision:
            raise PluginError(
                f'plugin "{plugin.name}" changed the cluster while it was asked about pod '
                f'"{pod}": a plugin only reads'
            )
        if point == "pre_filter":
            self._world.answer_pod(reason)
        elif point == "filter":
            self._world.answer_filter(*call.reasons(answer, nodes))
        else:
            self._world.answer_score(call.scores(answer, nodes))


class _Call:
    """One call of a plugin, with what its errors name."""

    def __init__(self, plugin: Plugin, point: str, pod: Pod) -> None:
        self._plugin = plugin
        self._point = point
        self._pod = pod

    def pod_reason(self, function: Callable[..., Any]) -> str | None:
        """Return why the pod may not be scheduled, if so."""
        answer = self._call(function, self._pod)
        if answer is None or isinstance(answer, (bool, np.bool_)):
            return None if answer is None or answer else ""
        if isinstance(answer, str):
            return self._check_text(answer) or None
        raise self._refused(f"returned {answer!r}", "True, False or a reason")

    def of_nodes(self, function: Callable[..., Any], nodes: Nodes) -> Any:
        """Return what the plugin says of all nodes, unchecked."""
        if isinstance(self._plugin, PerNode):
            return [self._call(function, self._pod, node) for node in nodes]
        return self._call(function, self._pod, nodes)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            nodes = arguments[1:] if isinstance(self._plugin, PerNode) else ()
            where = "".join(f', node "{node.name}"' for node in nodes)
            raise PluginError(
                f'plugin "{self._plugin.name}": {self._point} of pod "{self._pod}"{where} raised '
                f"{type(error).__name__}: {error}"
            ) from error

    def reasons(self, answer: Any, nodes: Nodes) -> tuple[NDArray[np.int64], list[str]]:
        """Return for each node -1, or the place of the reason why it is not right."""
        if isinstance(self._plugin, PerNode):
            answer = [self._reason_of_one(said, at, nodes) for at, said in enumerate(answer)]
            answer = np.array(answer, dtype=object)
        array = np.asarray(answer)
        self._check_length(array, nodes)
        if array.dtype == np.bool_:
            return array.astype(np.int64) * -1, [""]
        texts = array.tolist()
        if array.dtype.kind not in "UOT" or not all(isinstance(text, str) for text in texts):
            raise self._refused(f"returned dtype {array.dtype}", "bool, or reasons as text")
        known = list(dict.fromkeys(text for text in texts if text))
        for text in known:
            self._check_text(text)
        places = {text: at for at, text in enumerate(known)}
        said = np.array([places.get(text, -1) for text in texts], dtype=np.int64)
        return said, ["" if text == _USUAL else text for text in known]

    def _reason_of_one(self, said: Any, at: int, nodes: Nodes) -> str:
        if isinstance(said, (bool, np.bool_)):
            return "" if said else _USUAL
        if isinstance(said, str):
            return said
        raise self._refused(
            f'returned {said!r} for node "{nodes[at].name}"', "True, False or a reason"
        )

    def scores(self, answer: Any, nodes: Nodes) -> NDArray[np.int64]:
        """Return a score for each node."""
        array = np.asarray(answer)
        if isinstance(self._plugin, PerNode) and array.dtype.kind not in "iu":
            wrong = [at for at, score in enumerate(answer) if not _is_whole(score)]
            if wrong:
                score, node = answer[wrong[0]], nodes[wrong[0]].name
                raise self._refused(f'returned {score!r} for node "{node}"', "a whole number")
        self._check_length(array, nodes)
        if array.dtype.kind not in "iu":
            raise self._refused(f"returned dtype {array.dtype}", "whole numbers (int64)")
        if self._plugin.normalize is None and (
            array.min(initial=0) < 0 or array.max(initial=0) > _MAX_SCORE
        ):
            at = int(np.flatnonzero((array < 0) | (array > _MAX_SCORE))[0])
            raise PluginError(
                f'plugin "{self._plugin.name}" gave node "{nodes[at].name}" the score '
                f'{int(array[at])} for pod "{self._pod}": scores are from 0 to {_MAX_SCORE}'
            )
        return np.ascontiguousarray(array, dtype=np.int64)

    def _check_text(self, reason: str) -> str:
        try:
            reason.encode()
        except UnicodeEncodeError:
            raise self._refused(f"returned the reason {reason!r}", "text that UTF-8 has") from None
        return reason

    def _check_length(self, array: NDArray[Any], nodes: Nodes) -> None:
        if array.shape != (len(nodes),):
            shape = "x".join(map(str, array.shape)) or "one value"
            raise self._refused(f"returned {shape} for {len(nodes)} nodes", "one value per node")

    def _refused(self, did: str, wanted: str) -> PluginError:
        return PluginError(
            f'plugin "{self._plugin.name}": {self._point} of pod "{self._pod}" {did}; wanted: '
            f"{wanted}"
        )


#: Stands for a no without a reason among texts, of which the empty one is a yes.
_USUAL = "\0"


def _is_whole(score: Any) -> bool:
    return hasattr(score, "__index__") and not isinstance(score, (bool, np.bool_))
