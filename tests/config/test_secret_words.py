"""Which words from elsewhere are secrets."""

import pytest

from tests.config.written import loaded
from trueup.domain.secret import Secret

ENV = {
    "HOST": "db.internal",
    "KEY": "k3y-word",
    "DB": "orders",
    "URL": "https://shop.example/x",
    "U": "unit-1",
    "NAME": "shop",
}


@pytest.mark.parametrize(
    ("service", "at", "secrets"),
    [
        ('"https://${HOST}/hooks/${KEY}"', "https://db.internal/hooks/***", {"k3y-word"}),
        ('"https://${HOST}/x?key=${KEY}&a=1"', "https://db.internal/x?key=***&a=1", {"k3y-word"}),
        ('{at: "postgres://${HOST}/${DB}"}', "postgres://db.internal/***", {"orders"}),
        (
            '{at: "postgres://${HOST}/x", query: "select \'${KEY}\'"}',
            "postgres://db.internal/x",
            {"k3y-word"},
        ),
        ('"postgres://${HOST}/${NAME}"', "postgres://db.internal/shop", set()),
        ('"${URL}"', "https://shop.example/x", set()),
        ('{at: "tcp://${HOST}:1", unit: "${U}", host: "${HOST}"}', "tcp://db.internal:1", set()),
        ('"tcp://db.internal:1"', "tcp://db.internal:1", set()),
    ],
)
def test_what_is_a_secret_of_a_service(service: str, at: str, secrets: set[str]) -> None:
    (check,) = loaded(f"services: {{shop-db: {service}}}", ENV).checks["shop-db"]
    assert check.address.text == check.target.at[0].text == at
    assert set(check.secrets) == {Secret(word) for word in secrets}
