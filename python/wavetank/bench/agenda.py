"""What happens at times of its own while the ops of a workload go on: churn, slow deletions."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000


@dataclass(order=True)
class Task:
    """Something done again and again until it says that it is over.

    Attributes
    ----------
    due_ns, number
        When it is done next, and its place among those due at one time.
    action
        Returns whether it wants to be called again a period later.
    """

    due_ns: int
    number: int
    period_ns: int = field(compare=False)
    action: Callable[[], bool] = field(compare=False)
    over: bool = field(default=False, compare=False)


class Agenda:
    """Tasks in the order of their times; equal times in the order they were begun."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._begun = 0

    def every(self, now_ns: int, period_ns: int, action: Callable[[], bool]) -> Task:
        """Begin a task; it is due a period from now for the first time."""
        self._begun += 1
        task = Task(now_ns + period_ns, self._begun, period_ns, action)
        heapq.heappush(self._tasks, task)
        return task

    def next_ns(self) -> int | None:
        """Return when something is due next."""
        return self._tasks[0].due_ns if self._tasks else None

    def work(self) -> None:
        """Do what is due next."""
        task = heapq.heappop(self._tasks)
        if task.action():
            task.due_ns += task.period_ns
            heapq.heappush(self._tasks, task)
        else:
            task.over = True
