"""What is there to watch: found, identified by what answers, and written down as a person would have."""
