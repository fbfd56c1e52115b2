"""One file a protocol: a conversation, and its table of error answers to causes."""
