"""What every test may ask for: the recorded answers and real inputs beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

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
