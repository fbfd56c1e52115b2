"""What a while of watching taught, and what changed from one time to another: pure, of documents."""
