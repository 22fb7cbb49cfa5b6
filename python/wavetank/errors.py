"""What wavetank raises.

.. code-block:: text

    WavetankError
    ├── ManifestError        a document that cannot be read: .source .document .line
    ├── ApplyError           some objects of a batch were refused: .failures .applied
    └── ApiError             what the API server would answer: .code .reason .status
        ├── BadRequestError      400
        ├── ForbiddenError       403
        ├── NotFoundError        404
        ├── AlreadyExistsError   409
        ├── ConflictError        409
        ├── GoneError            410
        ├── InvalidError         422
        └── ApiTimeoutError      504

An argument that makes no sense is a ``ValueError`` or ``TypeError``, a missing file a
``FileNotFoundError``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._core import (
    AlreadyExistsError,
    ApiError,
    ApiTimeoutError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    ManifestError,
    NotFoundError,
    WavetankError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .manifest.applied import Applied, Failure

__all__ = [
    "AlreadyExistsError",
    "ApiError",
    "ApiTimeoutError",
    "ApplyError",
    "BadRequestError",
    "ConflictError",
    "ForbiddenError",
    "GoneError",
    "InvalidError",
    "ManifestError",
    "NotFoundError",
    "WavetankError",
]


def bad_request(message: str) -> BadRequestError:
    """Return what the API server answers to a request that makes no sense."""
    error = BadRequestError(message)
    error.code, error.reason = 400, "BadRequest"
    error.status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": error.reason,
        "code": error.code,
    }
    return error


class ApplyError(WavetankError):
    """Some objects of a manifest were refused; the others were applied.

    Parameters
    ----------
    failures
        One per refused object, with its place in the manifest.
    applied
        What became of the other objects.
    """

    def __init__(self, failures: Sequence[Failure], applied: Applied) -> None:
        super().__init__("\n".join(str(failure) for failure in failures))
        self.failures = list(failures)
        self.applied = applied
