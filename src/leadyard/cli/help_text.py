"""What `leadyard --help` says after the name of the program. Written by script/help; do not edit."""

HELP = """\
[OPTIONS] COMMAND [ARGS]...

  Lists of leads with a move that is atomic, exact and fast.

Options:
  --help  Show this message and exit.

Commands:
  serve             Run the HTTP service until it is told to stop...
  worker            Work on prospecting jobs until told to stop (Ctrl-C,...
  migrate           Bring the database to the current schema.
  import            Import a CSV file into an audience.
  export            Export an audience as CSV.
  doctor            Check every account group: counts are exact, nothing...
  backup            Copy the embedded database to FILE while the service...
  restore           Put a backup in the place of the embedded database,...
  config            List every setting: its value, where the value comes...
  example-provider  Run a prospect provider that serves the people of a...
  account-groups    Make, list and change account groups, the tenants.
  keys              Make, list, rotate, revoke and check API keys.
  jobs              List, show, watch and cancel prospecting jobs.

  Settings come from the environment (LEADYARD_...); 'leadyard config' lists
  them. Exit codes: 0 done, 1 the answer is no, 2 wrong usage."""
