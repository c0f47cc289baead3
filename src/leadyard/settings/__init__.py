"""The settings, and the parsed forms of two of them."""
