"""A receiver of webhooks for development: prints what comes in, and verifies its signature."""
