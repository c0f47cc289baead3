"""The work of a prospecting job: its sources and its two stages."""
