"""Forks, copies, pickles and files: the same cluster, going its own way; the same bytes."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import wavetank as wt
from hypothesis import given, settings
from hypothesis import strategies as st
from wavetank.controllers import Context, Controller, Watch


def deployment(name: str, replicas: int) -> dict[str, Any]:
    requests = {"cpu": "100m", "memory": "64Mi"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [
                        {"name": "c", "image": f"{name}:1", "resources": {"requests": requests}}
                    ]
                },
            },
        },
    }


def busy(seed: int = 3) -> wt.Cluster:
    """A cluster in the middle of things."""
    cluster = wt.Cluster(seed=seed, latencies="default")
    cluster.add_nodes(cpu="2", memory="8Gi", count=4, zones=["a", "b"])
    for number in range(4):
        cluster.create(deployment(f"app{number}", 10))
    cluster.advance("1500ms")
    return cluster


def saved(cluster: wt.Cluster, folder: Path) -> bytes:
    path = folder / "cluster.wt"
    cluster.save(path)
    return path.read_bytes()


def step(cluster: wt.Cluster, number: int) -> None:
    """Do one of several things a user might do."""
    match number % 5:
        case 0:
            cluster.advance(f"{1 + number}s")
        case 1:
            cluster.scale(f"deploy/app{number % 4}", replicas=number % 13)
        case 2:
            keys = cluster.keys("pods", label_selector=f"app=app{number % 4}")
            cluster.delete_many(keys[: number % 3])
        case 3:
            image = {"name": "c", "image": f"new:{number}"}
            patch = {"spec": {"template": {"spec": {"containers": [image]}}}}
            cluster.patch(f"deploy/app{number % 4}", patch=patch)
        case _:
            cluster.add_nodes(cpu="1", memory="4Gi", count=1, name=f"extra{number}")


def forked(cluster: wt.Cluster, folder: Path) -> wt.Cluster:
    return cluster.fork()


def copied(cluster: wt.Cluster, folder: Path) -> wt.Cluster:
    return copy.deepcopy(cluster)


def pickled(cluster: wt.Cluster, folder: Path) -> wt.Cluster:
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(cluster, protocol=5, buffer_callback=buffers.append)
    assert len(data) < 10_000
    assert sum(len(buffer.raw()) for buffer in buffers) > 1_000
    return pickle.loads(data, buffers=buffers)


def loaded(cluster: wt.Cluster, folder: Path) -> wt.Cluster:
    cluster.save(folder / "middle.wt")
    return wt.Cluster.load(folder / "middle.wt")


WAYS = pytest.mark.parametrize("way", [forked, copied, pickled, loaded])


@WAYS
def test_the_same_steps_give_the_same_bytes(way: Any, tmp_path: Path) -> None:
    original = busy()
    branch = way(original, tmp_path)
    for cluster in (original, branch):
        for number in range(9):
            step(cluster, number)
        cluster.run()
    assert saved(original, tmp_path) == saved(branch, tmp_path)


@WAYS
def test_a_branch_does_not_touch_its_original(way: Any, tmp_path: Path) -> None:
    original = busy()
    before = saved(original, tmp_path)
    branch = way(original, tmp_path)
    for number in range(9):
        step(branch, number)
    branch.run()
    assert saved(original, tmp_path) == before
    assert saved(branch, tmp_path) != before


@settings(max_examples=12, deadline=None)
@given(
    before=st.lists(st.integers(0, 60), max_size=5), after=st.lists(st.integers(0, 60), max_size=5)
)
def test_any_steps_before_and_after_a_fork(before: list[int], after: list[int]) -> None:
    original = busy(seed=9)

    def play(cluster: wt.Cluster, numbers: list[int], offset: int) -> None:
        for place, number in enumerate(numbers):
            step(cluster, number if number % 5 != 4 else number + 1000 * (offset + place) * 5)

    play(original, before, 1)
    branch = original.fork()
    play(original, after, 50)
    play(branch, after, 50)
    assert pickle.dumps(original) == pickle.dumps(branch)


def test_seeds_make_different_clusters_and_equal_seeds_equal_ones(tmp_path: Path) -> None:
    first, second, third = (saved(busy(seed), tmp_path) for seed in (1, 1, 2))
    assert first == second
    assert first != third


PROGRAM = """
import hashlib, pickle, sys
sys.path.insert(0, sys.argv[1])
from test_forks import busy, step
cluster = busy()
for number in range(12):
    step(cluster, number)
cluster.run()
print(hashlib.sha256(pickle.dumps(cluster)).hexdigest())
"""


def test_another_process_with_other_hashes_and_threads_gives_the_same_bytes() -> None:
    here = str(Path(__file__).parent)
    answers = set()
    for threads, seed in (("1", "1"), ("2", "77")):
        environment = {**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PROGRAM, here]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        answers.add(done.stdout)
    assert len(answers) == 1


def test_a_file_that_is_no_cluster_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.wt"
    path.write_bytes(saved(busy(), tmp_path)[:5_000])
    with pytest.raises(ValueError, match=r"\w"):
        wt.Cluster.load(path)
    path.write_bytes(b"wavetank\0\0\0\x63" + b"\0" * 100)
    with pytest.raises(ValueError, match="version"):
        wt.Cluster.load(path)
    with pytest.raises(FileNotFoundError, match="missing"):
        wt.Cluster.load(tmp_path / "missing.wt")


def test_damaged_files_are_refused_not_crashed_on(tmp_path: Path) -> None:
    whole = bytearray(saved(busy(), tmp_path))
    path = tmp_path / "x.wt"
    for place in range(20, len(whole), len(whole) // 40):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"\w"):
            wt.Cluster.load(path)


def test_saving_is_all_or_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        busy().save(tmp_path / "nowhere" / "x.wt")
    path = tmp_path / "x.wt"
    busy().save(path)
    assert [item.name for item in tmp_path.iterdir()] == ["x.wt"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cluster"
    busy().save(path)
    saved = path.read_bytes()
    for at in range(12, len(saved), 97):
        path.write_bytes(saved[:at] + bytes([saved[at] ^ 0x10]) + saved[at + 1 :])
        with pytest.raises(ValueError, match="a damaged saved cluster"):
            wt.Cluster.load(path)
    for cut in (saved[:12], saved[:15], saved[:-1], saved + b"\0"):
        path.write_bytes(cut)
        with pytest.raises(ValueError, match="a damaged saved cluster"):
            wt.Cluster.load(path)


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cluster"
    cluster = busy()
    cluster.save(path)
    before = path.read_bytes()

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device", str(self))

    cluster.run("1h")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        cluster.save(path)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_written_through_a_link_and_to_what_is_no_file(tmp_path: Path) -> None:
    cluster, path, link = busy(), tmp_path / "cluster", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    cluster.save(link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert wt.Cluster.load(path).world.to_bytes() == cluster.world.to_bytes()
    cluster.save("/dev/null")
    assert not Path("/dev/null").is_file()


def test_a_fork_has_the_notes_of_the_dump_it_came_from() -> None:
    cluster = busy()
    cluster.notes = ["something is missing"]
    branch = cluster.fork()
    branch.notes.append("more")
    assert cluster.notes == ["something is missing"]


def test_a_controller_that_cannot_be_copied_is_named() -> None:
    class Locked(Controller):
        name = "locked"

        def __init__(self) -> None:
            self.lock = threading.Lock()

        def watches(self) -> tuple[Watch, ...]:
            return (Watch("nodes"),)

        def sync(self, context: Context, key: int) -> None:
            return None

    cluster = wt.Cluster()
    cluster.add_controller(Locked())
    with pytest.raises(TypeError, match="the controller 'locked' cannot be copied for a fork"):
        cluster.fork()
