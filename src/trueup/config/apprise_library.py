"""The Apprise library, which is loaded where a channel needs it: it takes a second and 25 MB."""

import logging
import warnings
from types import ModuleType
from typing import Any


def apprise_library() -> ModuleType:
    """The module, whose log goes nowhere: its lines have URLs in them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports what a later Python has no more
        import apprise

        apprise.Apprise.instantiate("json://localhost")  # which loads the services, and they the rest

    logging.getLogger("apprise").propagate = False
    return apprise


def schemes_of_apprise() -> frozenset[str]:
    """The schemes of the URLs that Apprise takes, its plain ones among them."""
    from apprise import manager_plugins

    apprise_library()
    manager: Any = manager_plugins.NotificationManager
    return frozenset(manager().schemas())
