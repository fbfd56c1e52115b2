"""MariaDB's ed25519, held against another's Ed25519 where the two are the same."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from trueup.probes.mysql_ed25519 import NONCE_BYTES, is_installed, sign


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES))
def test_a_password_of_32_bytes_signs_as_a_key_does(password: bytes, nonce: bytes) -> None:
    assert sign(password, nonce) == Ed25519PrivateKey.from_private_bytes(password).sign(nonce)


def test_passwords_of_any_length_sign() -> None:
    signed = {sign(word, bytes(32)) for word in (b"", b"a", b"a" * 31, b"a" * 33, b"a" * 200)}
    assert {len(one) for one in signed} == {64}
    assert len(signed) == 5
    assert is_installed()
