"""From evidence to a verdict: ordered, pure rules, and the sentence that a tired person reads."""
