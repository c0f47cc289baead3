"""Operations on jobs. For all kinds: `leases.py` for the workers, `held_job.py` and `queueing.py` inside a transaction.
For prospecting: `prospecting.py` for users, `prospecting_steps.py` for the workers."""
