"""Where other monitors send their alerts, as channels: an Apprise URL, or a URL that gets trueup's own JSON.

Each function gives a channel, or None where what was there isn't enough. https://appriseit.com/services/
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from trueup.importers.carried import Carried, Reference, joined
from trueup.importers.credentials import encoded
from trueup.importers.placing import split_url

Channel = Reference | dict[str, Any] | None


class Forms:
    """The forms of one channel, whose secrets become variables named after it."""

    def __init__(self, carried: Carried, name: str) -> None:
        self._carried = carried
        self._name = name

    def secret(self, words: str, meaning: str, value: Any) -> Reference | None:
        """A reference to a secret; one that is a reference already stays it. None for nothing."""
        text = str(value or "").strip()
        if not text:
            return None
        if re.fullmatch(r"\$\{\w+\}", text):
            return Reference(text)
        return self._carried.secret(f"{self._name}_{words}", f"{meaning} of {self._name}", text)

    def webhook(self, url: Any) -> Channel:
        """Anything that takes JSON; its URL is a secret as a whole."""
        if not str(url or "").startswith(("http://", "https://", "${")):
            return None
        self._carried.note(
            f"{self._name}: what is sent there is trueup's own JSON; see whether it's understood"
        )
        return self.secret("url", "the URL", url)

    def whole(self, url: Any) -> Channel:
        """An Apprise URL as it is."""
        return self.secret("url", "the Apprise URL", url)

    def telegram(self, token: Any, chat: Any) -> Channel:
        """A bot and a chat."""
        word = self.secret("token", "the bot's token", token)
        return joined("tgram://", word, "/", encoded(str(chat))) if word and chat else None

    def discord(self, url: Any) -> Channel:
        """https://discord.com/api/webhooks/ID/TOKEN."""
        return self._hook("discord", url, r"/api/webhooks/(\d+/[^/?]+)", "ID/TOKEN of the webhook")

    def slack(self, url: Any, channel: str = "") -> Channel:
        """https://hooks.slack.com/services/T/B/TOKEN."""
        hook = self._hook("slack", url, r"/services/([^/]+/[^/]+/[^/?]+)", "T.../B.../TOKEN of the webhook")
        return joined(hook, "/", encoded(channel)) if isinstance(hook, Reference) and channel else hook

    def google_chat(self, url: Any) -> Channel:
        """https://chat.googleapis.com/v1/spaces/SPACE/messages?key=KEY&token=TOKEN."""
        found = re.search(r"/v1/spaces/([^/]+)/messages\?key=([^&]+)&token=([^&]+)", str(url or ""))
        return self._words("gchat", "SPACE/KEY/TOKEN of the webhook", found and "/".join(found.groups()))

    def rocket_chat(self, url: Any) -> Channel:
        """https://HOST/hooks/ID/TOKEN."""
        return self._hosted("rocket", url, r"^/hooks/([^/]+/[^/?]+)", "{word}@{place}")

    def mattermost(self, url: Any) -> Channel:
        """https://HOST/hooks/TOKEN."""
        return self._hosted("mmost", url, r"^/hooks/([^/?]+)", "{place}/{word}")

    def gotify(self, url: Any, token: Any) -> Channel:
        """A server and an application's token."""
        return self._hosted("gotify", url, r"()", "{place}{path}/{word}", token)

    def home_assistant(self, url: Any, token: Any) -> Channel:
        """A server and a long-lived token."""
        return self._hosted("hassio", url, r"()", "{place}/{word}", token)

    def ntfy(self, url: Any, topic: Any, token: Any = None, user: str = "", password: Any = None) -> Channel:
        """A server, a topic, and a token or a user with a password."""
        if not topic:
            return None
        parts = split_url(str(url or "https://ntfy.sh"))
        scheme = "ntfys" if parts.scheme == "https" else "ntfy"
        word = self.secret("token", "the token", token) if token else None
        if word is None and password:
            word = self.secret("password", "the password", password)
        login = () if word is None else (word, "@") if token else (encoded(user), ":", word, "@")
        return joined(f"{scheme}://", *login, f"{parts.netloc}/{encoded(str(topic))}")

    def matrix(self, url: Any, room: Any, token: Any) -> Channel:
        """A home server, a room and an access token."""
        return self._hosted("matrix", url, r"()", "{word}@{place}/" + encoded(str(room or "")), token)

    def signal(self, url: Any, number: Any, recipients: Sequence[str]) -> Channel:
        """A server of signal-cli-rest-api, the sender's number and whom it writes to."""
        parts = split_url(str(url or ""))
        if not parts.netloc or not number or not recipients:
            return None
        scheme = "signals" if parts.scheme == "https" else "signal"
        return joined(
            f"{scheme}://{parts.netloc}/", "/".join(encoded(str(one)) for one in (number, *recipients))
        )

    def pushover(self, user: Any, token: Any) -> Channel:
        """A user's key and an application's token."""
        who, word = self.secret("user", "the user key", user), self.secret("token", "the token", token)
        return joined("pover://", who, "@", word) if who and word else None

    def twilio(self, account: Any, token: Any, sender: Any, to: Sequence[str]) -> Channel:
        """An account and its token, and two numbers."""
        word = self.secret("token", "the token", token)
        if not (account and word and sender and to):
            return None
        return joined(f"twilio://{account}:", word, "@", "/".join(encoded(str(one)) for one in (sender, *to)))

    def pagerduty(self, key: Any) -> Channel:
        """The integration key of a service."""
        word = self.secret("key", "the integration key", key)
        return joined("pagerduty://", word, "@", word) if word else None

    def opsgenie(self, key: Any, region: str = "us") -> Channel:
        """The key of an integration."""
        word = self.secret("key", "the API key", key)
        return joined("opsgenie://", word, "?region=eu" if region == "eu" else "") if word else None

    def teams(self, url: Any) -> Channel:
        """A workflow of Power Automate: https://HOST/workflows/ID/...&sig=SIGNATURE."""
        parts = split_url(str(url or ""))
        found = re.search(r"/workflows/([^/]+)/", parts.path)
        signature = re.search(r"(?:^|&)sig=([^&]+)", parts.query)
        word = self.secret("signature", "the signature", signature and signature[1])
        return joined(f"workflows://{parts.netloc}/{found[1]}/", word) if found and word else None

    def ses(self, key: Any, secret: Any, region: Any, sender: Any, to: Sequence[str]) -> Channel:
        """Amazon's mail."""
        word = self.secret("secret", "the secret access key", secret)
        if not (key and word and region and sender and to):
            return None
        return joined(f"ses://{sender}/{key}/", word, f"/{region}/", "/".join(to))

    def keyed(self, scheme: str, *keys: Any) -> Channel:
        """A service that wants nothing but keys, the first of which is a secret."""
        word = self.secret("key", "the key", keys[0])
        rest = [part for key in keys[1:] if key for part in ("/", encoded(str(key)))]
        return joined(f"{scheme}://", word, *rest) if word else None

    def mail(  # noqa: PLR0917 - as a form asks for it
        self, host: Any, port: Any, sender: Any, to: Any, user: Any = "", password: Any = "", *, tls: bool
    ) -> Channel:
        """A mail server, with a login or without, from and to whom."""
        if not host or not to:
            return None
        scheme = "mailtos" if tls or str(port) in {"465", "587"} else "mailto"
        word = self.secret("password", "the password", password)
        login = (encoded(str(user)).replace("@", "%40"), ":", word, "@") if user and word else ()
        place = f"{host}:{port}" if port else str(host)
        tail = f"?from={encoded(_bare(sender))}&" if sender else "?"
        return joined(f"{scheme}://", *login, place, f"{tail}to={encoded(_bare(to))}")

    def _hook(self, scheme: str, url: Any, pattern: str, meaning: str) -> Channel:
        found = re.search(pattern, str(url or ""))
        known = re.fullmatch(r"\$\{\w+\}", str(url or ""))
        if known:
            self._carried.note(f"{self._name}: {url} must be {meaning} now, not the whole URL")
        return self._words(scheme, meaning, found[1] if found else url if known else None)

    def _words(self, scheme: str, meaning: str, words: Any) -> Channel:
        word = self.secret("hook", meaning, words)
        return joined(f"{scheme}://", word) if word else None

    def _hosted(self, scheme: str, url: Any, pattern: str, form: str, token: Any = None) -> Channel:
        parts = split_url(str(url or ""))
        found = re.search(pattern, parts.path)
        word = self.secret("token", "the token", token or (found[1] if found else None))
        if not parts.netloc or word is None:
            return None
        scheme += "s" if parts.scheme == "https" else ""
        before, after = form.format(place=parts.netloc, path=parts.path.rstrip("/"), word="\0").split("\0")
        return joined(f"{scheme}://{before}", word, after)


_ADDRESS: Final = re.compile(r"<([^<>]+)>")


def _bare(mail: Any) -> str:
    """Addresses without the names of people."""
    words = mail if isinstance(mail, list) else str(mail).replace(";", ",").split(",")
    found = ((_ADDRESS.search(str(word)) or (None, str(word).strip()))[1] for word in words)
    return ",".join(one for one in found if one)
