from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from trueup.discovery.nginx_sites import Listen, Site, sites_of


def none(_pattern: str) -> Sequence[str]:
    return ()


TEXT = """
user www-data;
events { worker_connections 768; }
http {
    log_format main '$remote_addr; {"x"}';   # a comment; with { marks }
    upstream app { server 127.0.0.1:8000 weight=2; server unix:/run/app.sock; server 10.0.0.9; }
    map $uri $where { default "a b"; ~^/x{2} c; }
    server {
        listen 80 default_server;
        listen [::]:80;
        server_name _;
        return 301 https://$host$request_uri;
    }
    server {
        listen 443 ssl http2;
        listen 10.0.0.1:8443 ssl;
        listen unix:/run/nginx.sock;
        server_name shop.example www.shop.example *.shop.example ~^x;
        location / { proxy_pass http://app; }
        location /api { if ($x) { return 403; } proxy_pass http://127.0.0.1:9000/v1; }
        location ~ \\.php$ { fastcgi_pass unix:/run/php.sock; }
        location /py { uwsgi_pass 127.0.0.1:3031; }
        location /dyn { proxy_pass http://$upstream; }
    }
    include sites/*.conf;
}
"""


def test_sites_have_names_doors_and_backends() -> None:
    first, second = sites_of(TEXT, none)
    assert first == Site((), (Listen("", 80, tls=False), Listen("::", 80, tls=False)), ())
    assert second == Site(
        ("shop.example", "www.shop.example"),
        (Listen("", 443, tls=True), Listen("10.0.0.1", 8443, tls=True)),
        (("127.0.0.1", 8000), ("10.0.0.9", 80), ("127.0.0.1", 9000), ("127.0.0.1", 3031)),
    )


def test_what_is_included_stands_where_the_include_does() -> None:
    asked: list[str] = []

    def include(pattern: str) -> Sequence[str]:
        asked.append(pattern)
        return ["server { server_name a.example; }", "server { server_name b.example; listen 81; }"]

    sites = sites_of(TEXT, include)
    assert asked == ["sites/*.conf"]
    assert [site.names for site in sites[2:]] == [("a.example",), ("b.example",)]
    assert sites[2].listens == (Listen("", 80, tls=False),)


def test_a_file_that_includes_itself_has_an_end() -> None:
    assert sites_of("http { include x; }", lambda _: ["include x;"]) == ()


@given(st.text(alphabet="server_name listen 80;{}\"'\\#$ \n", max_size=300))
def test_nonsense_names_nobody_and_raises_nothing(text: str) -> None:
    sites_of("http { " + text, none)
