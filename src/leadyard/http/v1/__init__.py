"""The handlers and shapes of the API, one file per noun."""
