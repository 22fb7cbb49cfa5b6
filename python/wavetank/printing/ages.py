"""Ages and times as kubectl prints them, against the virtual clock."""

from __future__ import annotations

from wavetank import _core, clock

_SECOND = 1_000_000_000
_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY

UNKNOWN = "<unknown>"


def human(duration_ns: int) -> str:  # noqa: PLR0911 - one answer per range
    """Return a duration in two or three significant figures: ``75s``, ``5m10s``, ``3d4h``."""
    seconds = int(duration_ns / _SECOND)
    if seconds < -1:
        return "<invalid>"
    if seconds < 2 * _MINUTE:
        return f"{max(seconds, 0)}s"
    if seconds < 10 * _MINUTE:
        return _two(seconds, _MINUTE, "m", 1, "s")
    if seconds < 3 * _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 8 * _HOUR:
        return _two(seconds, _HOUR, "h", _MINUTE, "m")
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    if seconds < 8 * _DAY:
        return _two(seconds, _DAY, "d", _HOUR, "h")
    if seconds < 2 * _YEAR:
        return f"{seconds // _DAY}d"
    if seconds < 8 * _YEAR:
        return _two(seconds, _YEAR, "y", _DAY, "d")
    return f"{seconds // _YEAR}y"


def _two(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{large_unit}" + (f"{rest}{small_unit}" if rest else "")


def since(timestamp: str | None, now_ns: int) -> str:
    """Return how long ago an API time is."""
    if not timestamp:
        return UNKNOWN
    return human(now_ns - _core.parse_time(timestamp))


def between(start: str, end: str) -> str:
    """Return the time from one API time to another."""
    return human(_core.parse_time(end) - _core.parse_time(start))


def rfc1123(timestamp: str | None) -> str:
    """Return an API time as ``Mon, 02 Jan 2006 15:04:05 +0000``; Go's zero time for none."""
    if not timestamp:
        return "Mon, 01 Jan 0001 00:00:00 +0000"
    moment = clock.to_datetime(_core.parse_time(timestamp))
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{day}, {moment:%d} {months[moment.month - 1]} {moment:%Y %H:%M:%S} +0000"
