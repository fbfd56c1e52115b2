"""Ghosts: failures that look like health, made with real software, and who finds them."""
