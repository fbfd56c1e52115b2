"""Twenty real servers and more, each another program, on whatever ports were free."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.beds.blackbox import blackbox
from tests.beds.certificates import Authority
from tests.beds.dovecot import dovecot
from tests.beds.grpc_server import grpc_server
from tests.beds.haproxy import haproxy
from tests.beds.memcached import memcached
from tests.beds.monit import monit
from tests.beds.mosquitto import mosquitto
from tests.beds.nats import nats
from tests.beds.nginx import nginx
from tests.beds.postfix import postfix
from tests.beds.redis import redis
from tests.beds.server import Server
from tests.beds.slapd import slapd
from tests.beds.sshd import sshd
from tests.beds.stunnel import stunnel
from tests.beds.unbound import unbound
from tests.beds.vsftpd import vsftpd
from tests.beds.websocket_server import websocket_server


@dataclass(frozen=True, slots=True)
class Farm:
    """``schemes`` is what each port must be found to speak, by the server's name."""

    ports: Mapping[str, int]
    schemes: Mapping[str, str]


@contextmanager
def farm(
    authority: Authority, postgres: Server, mariadb: Server, rabbitmq: Server, mongod: Server
) -> Iterator[Farm]:
    """The slow ones are given: others use them too."""
    with ExitStack() as stack:
        cache = stack.enter_context(redis())
        web = stack.enter_context(nginx())
        front = haproxy(f"127.0.0.1:{web.port}", tls=authority.valid("127.0.0.1"))
        servers = {
            ("postgresql", "postgres"): postgres.port,
            ("mariadb", "mysql"): mariadb.port,
            ("rabbitmq", "amqp"): rabbitmq.port,
            ("rabbitmq's pages", "rabbitmq"): rabbitmq.ports["management"],
            ("mongod", "mongodb"): mongod.port,
            ("redis", "redis"): cache.port,
            ("nginx", "http"): web.port,
            ("haproxy", "https"): stack.enter_context(front).port,
            ("stunnel", "rediss"): stack.enter_context(
                stunnel(f"127.0.0.1:{cache.port}", authority.valid("127.0.0.1"))
            ).port,
            ("memcached", "memcached"): stack.enter_context(memcached()).port,
            ("mosquitto", "mqtt"): stack.enter_context(mosquitto()).port,
            ("nats", "nats"): stack.enter_context(nats()).port,
            ("slapd", "ldap"): stack.enter_context(slapd()).port,
            ("sshd", "ssh"): stack.enter_context(sshd()).port,
            ("unbound", "dns"): stack.enter_context(unbound()).port,
            ("vsftpd", "ftp"): stack.enter_context(vsftpd()).port,
            ("postfix", "smtp"): stack.enter_context(postfix()).port,
            ("dovecot, imap", "imap"): stack.enter_context(dovecot("imap")).port,
            ("dovecot, pop3", "pop3"): stack.enter_context(dovecot("pop3")).port,
            ("websockets", "ws"): stack.enter_context(websocket_server()),
            ("grpcio", "grpc"): stack.enter_context(grpc_server()),
            ("blackbox_exporter", "http"): stack.enter_context(blackbox({})).port,
            ("monit", "http"): stack.enter_context(monit("")).port,
        }
        yield Farm(
            {name: port for (name, _), port in servers.items()},
            dict(servers.keys()),
        )
