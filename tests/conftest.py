"""What every test may ask for: the recorded answers and real inputs beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples every time, so that a change is judged by what it changes; set
# HYPOTHESIS_PROFILE=explore to look for new ones.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ROOT.parent / "shared"


def _beside(name: str) -> Path:
    folder = BESIDE / name
    if not folder.is_dir():
        pytest.skip(f"needs ../shared/{name}, which is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def data() -> Path:
    """Real manifests, traces and specifications."""
    return _beside("data")


@pytest.fixture(scope="session")
def golden() -> Path:
    """Recorded answers of the real components."""
    return _beside("golden")
