"""The server: a clerk with durable state and no numerics."""
