"""The kinds of receivers: one file each, found by its folder."""
