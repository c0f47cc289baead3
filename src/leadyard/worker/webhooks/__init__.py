"""Sends the events of all account groups to their webhooks: `sender.py` finds the webhooks that have something to send,
`webhook_run.py` sends for one of them, `in_order.py` keeps the order of the events of an audience."""
