"""What is said of incidents: to whom and when (pure), and the outbox that sends it until it's there."""
