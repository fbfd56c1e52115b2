"""The machine's own word: what this host says of its sockets, processes, units and containers.

Everything here only reads. Each source is a pure parser behind a reader that raises ``HostUnreadable``
when it could not look, and never guesses.
"""
