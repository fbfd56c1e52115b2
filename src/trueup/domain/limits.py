"""What a value must be besides its type, stated beside it: ``Annotated[int, AtLeast(1)]``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The smallest value that makes sense. A duration's bound is in seconds."""

    least: float


@dataclass(frozen=True, slots=True)
class Url:
    """A text that must be a URL, of whatever scheme, or where ``is_web`` of http or https."""

    is_web: bool = False


@dataclass(frozen=True, slots=True)
class Schemes:
    """The schemes that an address may have."""

    names: tuple[str, ...]
