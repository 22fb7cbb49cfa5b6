"""Virtual time as people write it."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

from . import _core

#: The virtual time a cluster starts at unless told otherwise.
START = "2026-01-01T00:00:00Z"

#: Later than anything a simulation reaches.
FOREVER_NS = 2**63 - 1

_SECOND_NS = 1_000_000_000


def duration_ns(given: str | float | timedelta) -> int:
    """Return a duration in nanoseconds: Go's syntax (``"10m"``), seconds, or a timedelta."""
    if isinstance(given, timedelta):
        return (given.days * 86_400 + given.seconds) * 1_000_000_000 + given.microseconds * 1_000
    if isinstance(given, str):
        return _core.parse_duration(given)
    try:
        seconds = given if isinstance(given, int) else float(given)
    except (TypeError, ValueError):
        kind = type(given).__name__
        message = f'a duration is text such as "10m", seconds or a timedelta, not {kind}'
        raise TypeError(message) from None
    if not (math.isfinite(seconds) and abs(seconds) <= FOREVER_NS // _SECOND_NS):
        raise ValueError(f"a duration is a number of seconds up to 292 years, not {given}")
    return round(seconds * _SECOND_NS)


def time_ns(given: Any) -> int:
    """Return a point in time (RFC 3339 or a datetime) in nanoseconds since the Unix epoch.

    Naive datetimes are UTC.
    """
    if isinstance(given, datetime):
        aware = given if given.tzinfo else given.replace(tzinfo=timezone.utc)
        ns = duration_ns(aware - datetime(1970, 1, 1, tzinfo=timezone.utc))
        if abs(ns) > FOREVER_NS:
            raise ValueError(f"invalid time {given}: outside the years 1678 to 2262")
        return ns
    if not isinstance(given, str):
        kind = type(given).__name__
        raise TypeError(f"a time is RFC 3339 text or a datetime, not {kind}")
    return _core.parse_time(given)


def to_datetime(ns: int) -> datetime:
    """Return a time as a datetime in UTC, cut to microseconds."""
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    return epoch + timedelta(microseconds=ns // 1_000)


def until_ns(given: str | float | timedelta | datetime, now_ns: int) -> int:
    """Return when to stop: a duration counts from now, a time is taken as it is.

    Raises
    ------
    ValueError
        When that is in the past.
    """
    if isinstance(given, datetime):
        end = time_ns(given)
    elif isinstance(given, str) and "T" in given:
        end = _core.parse_time(given)
    else:
        end = now_ns + duration_ns(given)
    if end < now_ns:
        now = _core.format_time(now_ns)
        raise ValueError(f"until: {given!s} is in the past; the clock stands at {now}")
    return end
