"""Operations on webhooks: `managing.py` and `deliveries.py` for clients, `sending.py` and `results.py` for the workers
that send, `retries.py` the plan, `secrets.py` the secrets, `removing.py` for the housekeeping."""
