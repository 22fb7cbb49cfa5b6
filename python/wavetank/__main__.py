"""``python -m wavetank``: the command ``wavetank``."""

from wavetank.cli import main

main()
