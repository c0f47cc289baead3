"""The tools, by what they are about. `catalogue.py` lists all of them."""
