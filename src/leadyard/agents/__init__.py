"""The door for agents: the tools that a language model calls over MCP. Each tool sends requests to the API."""
