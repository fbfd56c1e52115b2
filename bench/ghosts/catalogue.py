"""All ghosts that show from outside, and the controls, which are up."""

from bench.ghosts import controls, mail_and_queues, monitor_itself, network, stores, web

GHOSTS = [*network.GHOSTS, *stores.GHOSTS, *web.GHOSTS, *mail_and_queues.GHOSTS, *monitor_itself.GHOSTS]
CONTROLS = [*controls.CONTROLS]
