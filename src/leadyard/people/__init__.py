"""The fields of a person and the rules about them. Pure: without a database, a file or the network."""
