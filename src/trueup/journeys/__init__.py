"""Functional steps: what a user does, done from here, one step after another."""
