"""The page for people: its files, and the session of a browser. It uses the API as any other client does."""
