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

__all__ = [
    "AlreadyExistsError",
    "ApiError",
    "ApiTimeoutError",
    "BadRequestError",
    "ConflictError",
    "ForbiddenError",
    "GoneError",
    "InvalidError",
    "ManifestError",
    "NotFoundError",
    "WavetankError",
]
