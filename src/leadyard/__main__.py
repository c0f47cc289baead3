"""`python -m leadyard` is the command `leadyard`."""

from leadyard.cli.main import run

run()
