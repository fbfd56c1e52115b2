"""Where alerts go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from trueup.domain.limits import Url
from trueup.domain.secret import Secret
from trueup.domain.target import TlsSettings


@dataclass(frozen=True, slots=True)
class Channel:
    """``to`` is a URL, whole a secret: tokens stand anywhere in it.

    For http and https: ``form`` is the shape of the body, trueup's own event or Alertmanager's;
    ``secret`` signs it; ``headers`` go with it; ``tls`` is how the receiver's certificate is judged.
    """

    to: Annotated[Secret, Url()]
    form: Literal["trueup", "alertmanager"] = "trueup"
    secret: Secret | None = None
    headers: Mapping[str, Secret] = field(default_factory=dict)
    tls: TlsSettings | None = None

    @property
    def scheme(self) -> str:
        """The part of the URL that may be shown."""
        return self.to.reveal().partition("://")[0].lower()
