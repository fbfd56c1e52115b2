"""Performs conversations: sockets, TLS, deadlines, and the one place where an exception becomes a value."""
