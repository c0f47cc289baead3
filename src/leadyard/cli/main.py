"""The entry point of the command `leadyard`."""


def run() -> None:
    """Runs the command of the process's arguments, and exits with its code."""
    from leadyard.cli.commands import run_command

    run_command()
