"""The nouns. Standard library only; nothing here does anything to the world."""
