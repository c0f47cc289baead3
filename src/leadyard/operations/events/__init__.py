"""Events: `recording.py` writes one in the transaction of its change, `placing.py` gives it its place in the feed
afterwards, and `reading.py` reads the feed."""
