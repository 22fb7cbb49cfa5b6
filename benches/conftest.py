"""What the benches share: sizes, and a summary of figures with their units.

A bench runs once with small sizes under ``--benchmark-disable`` (as in CI) or with
``WAVETANK_BENCH_SHORT=1``. No bench asserts a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"

Figure = Callable[[str, float, str], None]
_FIGURES = pytest.StashKey[list[tuple[str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sizes(name=(full, short)): parameters that are sizes")
    config.stash[_FIGURES] = []


def is_short(config: pytest.Config) -> bool:
    """Tell whether small sizes will do."""
    short = bool(os.environ.get("WAVETANK_BENCH_SHORT"))
    return short or bool(config.getoption("benchmark_disable", default=False))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("sizes")
    for name, choices in (marker.kwargs if marker else {}).items():
        size = choices[is_short(metafunc.config)]
        metafunc.parametrize(name, [size], ids=[f"{size}_{name.rstrip('_')}"], scope="module")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a bench of seconds is measured."""
    return 1 if is_short(request.config) else 5


@pytest.fixture
def figure(request: pytest.FixtureRequest, benchmark: Any) -> Figure:
    """Note a figure of this bench, to be printed with its unit and kept in the JSON."""

    def note(name: str, value: float, unit: str) -> None:
        benchmark.extra_info[f"{name}_{unit}"] = value
        text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
        request.config.stash[_FIGURES].append((request.node.name, f"{name}: {text} {unit}"))

    return note


@pytest.fixture
def each(benchmark: Any, figure: Figure) -> Callable[[int, str], None]:
    """Note what one thing of so many took, and the whole, from the best round."""

    def note(count: int, thing: str) -> None:
        stats = getattr(benchmark, "stats", None)
        if stats is None:
            return
        best = stats.stats.min
        figure("best", best * 1e3, "ms")
        figure(f"per {thing}", best / count * 1e9, "ns")

    return note


@pytest.fixture
def tables() -> Path:
    """The openb tables."""
    folder = DATA / "openb"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/openb, which is not beside this checkout")
    return folder


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    figures = config.stash[_FIGURES]
    if not figures:
        return
    terminalreporter.section("figures")
    width = max(len(name) for name, _ in figures)
    for name, text in figures:
        terminalreporter.write_line(f"{name:<{width}}  {text}")
