"""Children of the server for tests that need what the real ones do not do on demand."""
