"""The configuration: loaded and validated, with a place for every problem."""

from trueup.config.configuration import Configuration
from trueup.config.json_schema import schema
from trueup.config.loading import load, load_place, load_text
from trueup.config.problems import ConfigurationError, Place, Problem

__all__ = [
    "Configuration",
    "ConfigurationError",
    "Place",
    "Problem",
    "load",
    "load_place",
    "load_text",
    "schema",
]
