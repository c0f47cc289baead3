"""The entry point of the command `leadyard`. It answers `--help` by itself: what reads arguments takes several times as
long to load as Python takes to start, and whoever looks up a command waits for nothing else."""

import gc
import os
import sys


def run() -> None:
    """The entry point of the command `leadyard`."""
    if sys.argv[1:] == ["--help"] and _program() and _is_wide_enough():
        _print_help()
    if sys.argv[1:2] == ["serve"]:
        # A tenth of its start would go into looking for garbage where there is none; assemble_app switches it on again.
        gc.disable()
    try:
        from leadyard.cli.commands import run_command

        run_command()
    finally:
        gc.enable()


def _program() -> str | None:
    """Returns what Typer would call the program in the help. None for any name but the two usual ones: then it is left
    to Typer, as are the lines that a longer name would break."""
    package = sys.modules["__main__"].__package__
    if not package and os.path.basename(sys.argv[0]) == "leadyard":  # noqa: PTH119 - pathlib is slow to load.
        return "leadyard"
    return "python -m leadyard" if package == "leadyard" else None


def _is_wide_enough() -> bool:
    """Returns whether the help has its usual lines: on a narrower terminal Typer breaks them earlier."""
    import shutil

    return shutil.get_terminal_size().columns >= 80


def _print_help() -> None:
    from leadyard.cli.help_text import HELP

    try:
        print(f"Usage: {_program()} {HELP}", flush=True)
    except BrokenPipeError:
        # Whoever read it has enough. Python would complain about what it can no longer write when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(0)
