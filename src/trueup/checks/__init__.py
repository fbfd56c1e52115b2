"""Runs one check: performs its conversation, asks follow-up questions when it fails, and observes."""
