"""Bars of text."""

from __future__ import annotations

import sys

from rich.text import Text

#: A cell filled by eighths.
_EIGHTHS = " ▏▎▍▌▋▊▉█"
#: From these shares on a bar is yellow, then red.
_TIGHT, _FULL = 0.8, 0.95


def bar(share: float, width: int, *, plain: bool = False) -> Text:
    """Return a bar as long as a share of ``width``, with the share in per cent behind it."""
    filled = min(max(share, 0.0), 1.0)
    if plain or not _has_blocks():
        body = "#" * round(filled * width)
        text = body.ljust(width, ".")
    else:
        whole, rest = divmod(round(filled * width * 8), 8)
        text = ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(width, "·")
    style = "" if plain else ("red" if share >= _FULL else "yellow" if share >= _TIGHT else "green")
    done = Text()
    cut = len(text.rstrip("·."))
    done.append(text[:cut], style=style)
    done.append(text[cut:], style="" if plain else "bright_black")
    done.append(f" {share:4.0%}")
    return done


def _has_blocks() -> bool:
    """Tell whether standard output can print block characters."""
    try:
        _EIGHTHS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
