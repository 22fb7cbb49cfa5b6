"""The published comparison of policies for shared GPUs, run again.

"Beware of Fragmentation" (Weng, Yang et al., USENIX ATC 2023) offers the pods of the trace openb
to its 1,213 machines with GPUs and reports how much of the GPUs is given away. A run is made as
its simulator makes it:

* the list of pods is shuffled; then random pods of it are appended, or random ones deleted, until
  they ask for 130% of all GPUs;
* machines get names in random order, which decides between machines with equal scores;
* pods are offered one at a time and stay; one that no machine takes is dropped;
* after each pod it is noted what has arrived and what is given away, in per cent of all GPUs.
  Column ``k`` is the mean of what is given away over the pods with which ``k`` had arrived.

Scheduler, store and accounting are those of any cluster; only time stands still. Random numbers
are our own: means over seeds are comparable with the published ones, single runs are not.
"""

from __future__ import annotations

import csv
import math
import os
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np

from wavetank.cluster import Cluster
from wavetank.errors import WavetankError
from wavetank.traces import openb

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from numpy.typing import NDArray

POLICIES = openb.POLICIES
#: What is offered, in relation to all GPUs.
RATIO = 1.3
#: Per cent of all GPUs that have arrived: a column each.
COLUMNS = range(131)
#: The column that is quoted.
QUOTED = 100
#: The first of the seeds that the published runs have.
FIRST_SEED = 42

_NODES = "openb_node_list_gpu_node.csv"
_PODS = "openb_pod_list_{}.csv"
_EXPECTED = "expected_allocation_{}.csv"
#: Pods offered between two looks at whether to stop.
_SLICE = 500


class MissingError(WavetankError, ValueError):
    """A folder without the tables, or a list or policy that does not exist."""


@dataclass(frozen=True)
class Job:
    """A run to be made: a list of pods, a policy and a seed."""

    pods: str
    policy: str
    seed: int


@dataclass(frozen=True)
class Run:
    """A run that was made.

    Attributes
    ----------
    allocation
        Per cent of all GPUs given away, by column; shape (131,), NaN where nothing arrived.
    offered, placed
        How many pods.
    """

    job: Job
    allocation: NDArray[np.float64]
    offered: int
    placed: int

    @property
    def quoted(self) -> float:
        """The allocation in the column that is quoted."""
        return float(self.allocation[QUOTED])


@dataclass(frozen=True)
class Row:
    """The runs of one list with one policy.

    Attributes
    ----------
    mean, spread
        Of the quoted column: mean and standard deviation over those seeds with which pods came
        near it. No mean without any, no spread with only one.
    published
        The published mean, where there is one.
    """

    pods: str
    policy: str
    runs: int
    mean: float | None
    spread: float | None
    published: float | None

    @property
    def difference(self) -> float | None:
        """Our mean less the published one."""
        if self.published is None or self.mean is None:
            return None
        return self.mean - self.published


class Trace:
    """The tables of the trace in a folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise MissingError(f'the folder "{self.folder}" does not exist')
        if not (self.folder / _NODES).is_file():
            raise MissingError(f'the folder "{self.folder}" has no {_NODES}')
        self.nodes = openb.read_nodes(self.folder / _NODES)
        self.gpu_milli = 1000 * sum(node.gpus for node in self.nodes)
        self.lists = self._lists()
        self.pods = cache(self._pods)

    def published(self, pods: str, policy: str) -> float | None:
        """Return the published mean of a policy in the quoted column, if it is in the folder."""
        path = self.folder / _EXPECTED.format(pods)
        if not path.is_file():
            return None
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                float(row[str(QUOTED)])
                for row in csv.DictReader(file)
                if row["sc_policy"].partition("-")[2] == policy
            ]
        return fmean(rows) if rows else None

    def _lists(self) -> list[str]:
        before, after = _PODS.split("{}")
        names = sorted(
            path.name[len(before) : -len(after)] for path in self.folder.glob(_PODS.format("*"))
        )
        if not names:
            raise MissingError(f'the folder "{self.folder}" has no {_PODS.format("*")}')
        return sorted(names, key=lambda name: (name != "default", name))

    def _pods(self, name: str) -> list[openb.Pod]:
        return openb.read_pods(self.folder / _PODS.format(name))


def select(names: str, known: Iterable[str], what: str) -> list[str]:
    """Return those of some names that a text asks for: after commas, in any case, or ``all``.

    Examples
    --------
    >>> select("fgd,Random", POLICIES, "policy")
    ['FGD', 'Random']
    """
    if names == "all":
        return list(known)
    by_lower = {name.lower(): name for name in known}
    found = dict.fromkeys(by_lower.get(name.strip().lower()) or name for name in names.split(","))
    for name in found:
        if name not in by_lower.values():
            raise MissingError(f"no {what} {name!r}; there are {', '.join(by_lower.values())}")
    return list(found)


def arrivals(pods: Sequence[openb.Pod], gpu_milli: int, seed: int) -> list[int]:
    """Return the order in which pods arrive, as places in the list; later ones may be copies.

    Parameters
    ----------
    gpu_milli
        What all GPUs offer.
    """
    random = _random(seed, "pods")
    order: list[int] = random.permutation(len(pods)).tolist()
    target = RATIO * gpu_milli
    asked = sum(pod.gpus * pod.gpu_milli for pod in pods)
    while asked > target:
        left = pods[order.pop(int(random.integers(len(order))))]
        asked -= left.gpus * left.gpu_milli
    if len(order) < len(pods):
        return order
    while True:
        at = int(random.integers(len(pods)))
        # As published: what one GPU more would come to, even if several are asked for.
        if asked + pods[at].gpu_milli > target:
            return order
        order.append(at)
        asked += pods[at].gpus * pods[at].gpu_milli


def cluster(trace: Trace, job: Job) -> Cluster:
    """Return the machines, named in random order, under the scheduler of a policy."""
    expected = trace.pods(job.pods)
    made = Cluster(
        seed=job.seed,
        events="none",
        scheduler=openb.scheduler(job.policy, expected),
        controllers=(),
    )
    numbers = _random(job.seed, "nodes").permutation(len(trace.nodes))
    named = [
        openb.Node(
            f"{number:04}-{node.name}", node.cpu_milli, node.memory_mib, node.gpus, node.model
        )
        for number, node in zip(numbers, trace.nodes, strict=True)
    ]
    openb.add_nodes(made, named)
    return made


def run(trace: Trace, job: Job, stop: Callable[[], bool] = lambda: False) -> Run | None:
    """Make one run; nothing when asked to stop before its end."""
    pods = trace.pods(job.pods)
    order = arrivals(pods, trace.gpu_milli, job.seed)
    made = cluster(trace, job)
    keys = create(made, pods, order)
    taken = np.zeros(len(keys), dtype=np.bool_)
    for at in range(0, len(keys), _SLICE):
        if stop():
            return None
        taken[at : at + _SLICE] = made.world.offer(keys[at : at + _SLICE])
    milli = np.array([pods[at].gpus * pods[at].gpu_milli for at in order], dtype=np.int64)
    allocation = columns(milli, taken, trace.gpu_milli)
    return Run(job, allocation, offered=len(order), placed=int(taken.sum()))


def columns(
    milli: NDArray[np.int64], taken: NDArray[np.bool_], gpu_milli: int
) -> NDArray[np.float64]:
    """Return what is given away by what has arrived, both in per cent of all GPUs.

    Parameters
    ----------
    milli
        What each pod asks for; shape (pods,).
    taken
        Whether a machine took it; shape (pods,).
    gpu_milli
        What all GPUs offer.

    Returns
    -------
    Shape (131,): the mean over the pods with which so much had arrived, rounded to a whole per
    cent; over the columns beside it where there is none, and NaN where there is nothing either.

    Examples
    --------
    >>> given = columns(np.array([10, 20, 10]), np.array([True, False, True]), 1000)
    >>> given[[1, 3, 4]].tolist()
    [1.0, 1.0, 2.0]
    """
    arrived = np.rint(100 * np.cumsum(milli) / gpu_milli)
    given = np.round(100 * np.cumsum(np.where(taken, milli, 0)) / gpu_milli, 2)
    means = np.full(len(COLUMNS), np.nan)
    for column in COLUMNS:
        near = arrived == column
        if not near.any():
            near = np.abs(arrived - column) <= 1
        if near.any():
            means[column] = round(float(given[near].mean()), 2)
    return means


def run_all(
    trace: Trace, jobs: Sequence[Job], workers: int | None = None
) -> Generator[Run, None, None]:
    """Make runs side by side and yield each when it is done, in any order.

    Results do not depend on the number of workers. Leaving the loop stops the others.
    """
    for name in dict.fromkeys(job.pods for job in jobs):
        trace.pods(name)
    stop = threading.Event()
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1)
    try:
        pending = {pool.submit(run, trace, job, stop.is_set) for job in jobs}
        while pending:
            # A wait without end would not notice Ctrl-C everywhere.
            done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                made = future.result()
                if made is not None:
                    yield made
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def summary(trace: Trace, runs: Sequence[Run]) -> list[Row]:
    """Return a row per list and policy, in the order of the trace's lists and the policies."""
    rows = []
    for pods in trace.lists:
        for policy in POLICIES:
            of = [one.quoted for one in runs if (one.job.pods, one.job.policy) == (pods, policy)]
            if of:
                told = [value for value in of if not math.isnan(value)]
                mean = fmean(told) if told else None
                spread = stdev(told) if len(told) > 1 else None
                published = trace.published(pods, policy)
                rows.append(Row(pods, policy, len(of), mean, spread, published))
    return rows


def create(made: Cluster, pods: Sequence[openb.Pod], order: Sequence[int]) -> NDArray[np.int64]:
    """Create the pods that arrive, those of one template at once; their keys in order."""
    places: dict[int, tuple[dict[str, Any], list[int]]] = {}
    for place, at in enumerate(order):
        manifest = openb.template(pods[at])
        places.setdefault(id(manifest), (manifest, []))[1].append(place)
    keys = np.zeros(len(order), dtype=np.int64)
    for manifest, mine in places.values():
        names = [f"{place:05}-{pods[order[place]].name}" for place in mine]
        keys[mine] = made.world.create_many(manifest, "default", names=names)
    return keys


def _random(seed: int, name: str) -> np.random.Generator:
    """Return the random stream of this name."""
    return np.random.Generator(np.random.PCG64DXSM([seed, *name.encode()]))
