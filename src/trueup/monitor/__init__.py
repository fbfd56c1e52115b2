"""When to look, and what to make of verdicts over time. Pure: time comes from a clock."""
