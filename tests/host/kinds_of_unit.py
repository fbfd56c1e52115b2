"""Units of every kind: what fails, loops, waits, is held by a socket, or runs."""

from typing import Final

UNITS: Final = {
    "fails.service": "[Service]\nExecStart=/bin/sh -c 'echo no configuration found; exit 3'\n",
    "missing.service": "[Service]\nExecStart=/no/such/program\n",
    "folderless.service": "[Service]\nWorkingDirectory=/no/such/folder\nExecStart=/bin/sleep 60\n",
    "segv.service": "[Service]\nExecStart=/bin/sh -c 'kill -SEGV $$$$'\n",
    "loops.service": (
        "[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=4\n"
        "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=0.05\n"
    ),
    "held.socket": "[Socket]\nListenStream=127.0.0.1:9999\nListenStream=/run/held.sock\n",
    "held.service": "[Service]\nExecStart=/bin/false\n",
    "slow.service": "[Service]\nType=notify\nExecStart=/bin/sleep 600\nTimeoutStartSec=600\n",
    "picky.service": "[Unit]\nConditionPathExists=/no/such/file\n[Service]\nExecStart=/bin/sleep 60\n",
    "steady.service": (
        "[Unit]\nWants=picky.service\n"
        "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    ),
    "wanted.service": "[Service]\nExecStart=/bin/sleep infinity\n",
    "web.socket": "[Socket]\nListenStream=127.0.0.1:9998\n[Install]\nWantedBy=sockets.target\n",
    "web.service": "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nAlso=web.socket\n",
}
