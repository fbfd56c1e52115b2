"""What other monitors had configured, in trueup's words. One file a source."""
