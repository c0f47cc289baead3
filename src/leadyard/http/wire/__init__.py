"""The connection below the requests: limits on time and size, trace ids."""
