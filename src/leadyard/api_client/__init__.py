"""A client of our own API, for the doors that use it: the tools for agents, and the commands for people."""
