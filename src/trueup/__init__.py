"""trueup: the monitor in which up means up."""

__version__ = "0.1.0"
