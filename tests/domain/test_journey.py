from trueup.domain.address import parse_address
from trueup.domain.journey import HttpRequest, Step, StepKind, filled, references
from trueup.domain.secret import Secret

CART = parse_address("https://probe:pw@shop.example/cart/${id}?x=1", {"https"})


def step() -> Step:
    headers = {"Authorization": Secret("Bearer ${token}")}
    return Step(StepKind.HTTP, HttpRequest("POST", CART, headers, {"n": [1, "${id}", "${other}", "$5"]}))


def test_saved_values_take_their_places_everywhere() -> None:
    request = filled(step(), {"token": "t0k", "id": "7"}).action
    assert isinstance(request, HttpRequest)
    assert request.headers["Authorization"].reveal() == "Bearer t0k"
    assert request.json == {"n": [1, "7", "${other}", "$5"]}
    assert request.url.path == "/cart/7?x=1"


def test_an_address_shows_what_was_written() -> None:
    request = filled(step(), {"id": "s3cret"}).action
    assert isinstance(request, HttpRequest)
    assert request.url.text == "https://probe:***@shop.example/cart/${id}?x=1"


def test_a_saved_value_cant_break_out_of_an_address() -> None:
    request = filled(step(), {"id": "1 HTTP/1.1\r\nHost: x\x7fé#"}).action
    assert isinstance(request, HttpRequest)
    assert request.url.path == "/cart/1%20HTTP/1.1%0D%0AHost:%20x%7F%C3%A9%23?x=1"


def test_a_saved_value_isnt_read_again() -> None:
    assert filled("${a}", {"a": "${b}", "b": "never"}) == "${b}"


def test_references() -> None:
    assert list(references("a ${b} $c ${d_1} ${ } $${e}")) == ["b", "d_1", "e"]
