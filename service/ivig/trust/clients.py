"""The clients of the hooks: who they are by their tokens, what may be fetched for them, and how they want to be told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct

from ivig.knowledge.pages import KnowledgeFault, Lined, PageReader
from ivig.outbound import address_of

SAFE = ("RS384", "ES384")
# What a client's page may add, for EHRs that sign with nothing else. `none` and secrets shared by both sides are never taken.
KNOWN = (*SAFE, "RS256", "RS512", "ES256", "ES512", "PS256", "PS384", "PS512")
_VERSIONS = ("2.0", "3.0")
_MOST = 10_000


class Mode(StrEnum):
    """What becomes of a rule's findings on the cards of a client."""

    ON = "on"
    SHADOW = "shadow"  # evaluated and recorded, not shown
    OFF = "off"


class RuleMode(Struct, frozen=True):
    """A rule's mode, and why it is not on."""

    mode: Mode
    reason: str


class Client(Struct, frozen=True):
    """One client.

    Args:
        id: our name for it, in records and reports.
        issuer: the `iss` of its tokens, exactly.
        jwks_urls: the addresses its keys may be fetched from: those its tokens may name (`jku`); the first where they name none.
        jwks_file: a file with its keys, where they were exchanged by hand.
        algorithms: those its tokens may be signed with.
        audience_aliases: other audiences its tokens may name beside the address they are sent to.
        tenants: when given, `tenant` of a token has to be one of them.
        fhir_servers: FHIR bases that may be asked for what its calls lack.
        cds_hooks: `2.0`, or `3.0` with its extras.
        crd: answers carry `systemActions`, as Da Vinci CRD asks.
        most_cards: how many cards it shows at most; 0 for no limit.
        rules: modes of the rules that are not on.
        calls_per_minute: 0 for the setting's.
    """

    id: str
    issuer: str = ""
    jwks_urls: tuple[str, ...] = ()
    jwks_file: str = ""
    algorithms: tuple[str, ...] = SAFE
    audience_aliases: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    fhir_servers: tuple[str, ...] = ()
    cds_hooks: str = "2.0"
    crd: bool = False
    most_cards: int = 0
    rules: Mapping[str, RuleMode] = {}
    calls_per_minute: int = 0


# The client of every call where tokens are not asked for. An entry of this id on the page takes its place.
DEVELOPMENT = Client("development")


def load_clients(path: str, rules: Collection[str], private: bool = True) -> tuple[Client, ...]:
    """The clients of a page; none without one.

    Args:
        path: of the YAML page, '' for none.
        rules: the names of all rules.
        private: whether addresses may be without TLS.

    Raises:
        KnowledgeFault: the page is faulty; lists every fault with file and line.
    """
    if not path:
        return ()
    page = Path(path).expanduser()
    reader = PageReader(page.parent)
    found = _Clients(reader, page.name, page.parent, frozenset(rules), private).read(reader.read(page))
    if reader.faults:
        raise KnowledgeFault(reader.faults)
    return found


class _Clients:
    """Reads the entries of one page, and gathers what is wrong with them."""

    def __init__(self, reader: PageReader, file: str, folder: Path, rules: frozenset[str], private: bool) -> None:
        self.reader, self.file, self.folder, self.rules, self.private = reader, file, folder, rules, private
        self._read: dict[str, Callable[[Any, int], Any]] = {
            "id": self._name,
            "issuer": self._word,
            "jwks_urls": self._urls,
            "jwks_file": self._key_file,
            "algorithms": self._algorithms,
            "audience_aliases": self._words,
            "tenants": self._some,
            "fhir_servers": self._bases,
            "cds_hooks": self._version,
            "crd": self._truth,
            "most_cards": self._number,
            "rules": self._modes,
            "calls_per_minute": self._number,
        }

    def fault(self, line: int, what: str) -> None:
        self.reader.fault(self.file, line, what)

    def read(self, page: Lined) -> tuple[Client, ...]:
        unread = bool(self.reader.faults)
        for key in page.keys() - {"clients"}:
            self.fault(page.lines[key], f"unknown key `{key}`; the page holds `clients`")
        listed = page.get("clients")
        if not isinstance(listed, list):
            if not unread:  # else it has said so
                self.fault(page.lines.get("clients", page.line), "`clients` is a list, and has to be there")
            return ()
        line = page.lines["clients"]
        found: list[tuple[Client, Lined]] = []
        for entry in listed:
            client = self._client(entry, line)
            if client is not None:
                self._once(client, entry, [one for one, _ in found])
                found.append((client, entry))
        return tuple(client for client, _ in found)

    def _once(self, client: Client, entry: Lined, before: list[Client]) -> None:
        for what in ("id", "issuer"):
            name = getattr(client, what)
            if name and any(getattr(one, what) == name for one in before):
                self.fault(entry.lines[what], f"two clients have the {what} {name}")

    def _client(self, entry: Any, line: int) -> Client | None:
        if not isinstance(entry, Lined):
            self.fault(line, "a client is a mapping")
            return None
        for key in entry.keys() - self._read.keys():
            self.fault(entry.lines[key], f"unknown key `{key}`; a client has {', '.join(self._read)}")
        made = {key: self._read[key](value, entry.lines[key]) for key, value in entry.items() if key in self._read}
        if not made.get("id"):
            self.fault(entry.line, "a client needs an id")
            return None
        if made["id"] != DEVELOPMENT.id:
            if not made.get("issuer"):
                self.fault(entry.line, f"{made['id']} needs its issuer: the `iss` of its tokens")
            if not made.get("jwks_urls") and not made.get("jwks_file"):
                self.fault(entry.line, f"{made['id']} needs jwks_urls or jwks_file, or no token of it can be verified")
        return Client(**made)

    def _word(self, value: Any, line: int) -> str:
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.fault(line, "a word is expected")
        return ""

    def _name(self, value: Any, line: int) -> str:
        said = self._word(value, line)
        if said and not (len(said) <= 64 and said.replace("-", "").replace("_", "").replace(".", "").isalnum()):
            self.fault(line, "an id has letters, digits, and - _ . between them")
        return said

    def _words(self, value: Any, line: int) -> tuple[str, ...]:
        return tuple(self._word(one, line) for one in (value if isinstance(value, list) else [value]))

    def _some(self, value: Any, line: int) -> tuple[str, ...]:
        found = self._words(value, line)
        if not found:
            self.fault(line, "an empty list: does it mean none, or any? Leave it out, or name some")
        return found

    def _bases(self, value: Any, line: int) -> tuple[str, ...]:
        found = self._urls(value, line)
        for url in found:
            if "?" in url:
                self.fault(line, f"{url} has a query; a FHIR base has none")
        return found

    def _urls(self, value: Any, line: int) -> tuple[str, ...]:
        found = self._words(value, line)
        for url in found:
            if url and address_of(url) is None:
                self.fault(
                    line, f"{url} is no address such as https://ehr.example.org/jwks that can be read one way only"
                )
            elif url and not self.private and not url.lower().startswith("https:"):
                self.fault(line, f"{url} is not https; IVIG_PRIVATE_ADDRESSES=allowed takes it")
        return found

    def _key_file(self, value: Any, line: int) -> str:
        """The path of a key file, from the folder of the page."""
        said = self._word(value, line)
        if not said:
            return ""
        path = self.folder / Path(said).expanduser()
        if not path.is_file():
            self.fault(line, f"there is no file {said}")
            return str(path)
        from ivig.trust.keys import KeyFault, keys_in  # noqa: PLC0415  (it knows clients; and slow, for pages with such files)

        try:
            keys_in(path.read_bytes())
        except KeyFault as fault:
            self.fault(line, f"{said}: {fault.reason}")
        except OSError as fault:
            self.fault(line, f"{said} cannot be read: {fault.strerror}")
        return str(path)

    def _algorithms(self, value: Any, line: int) -> tuple[str, ...]:
        found = self._some(value, line)
        for name in found:
            if name not in KNOWN:
                self.fault(line, f"{name} is not taken; of these: {', '.join(KNOWN)}")
        return found

    def _version(self, value: Any, line: int) -> str:
        if value not in _VERSIONS:
            self.fault(line, f"cds_hooks is {' or '.join(_VERSIONS)}")
        return str(value)

    def _truth(self, value: Any, line: int) -> bool:
        if value not in ("true", "false"):
            self.fault(line, "true or false is expected")
        return bool(value == "true")

    def _number(self, value: Any, line: int) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(_MOST**2)):
            return int(value)
        self.fault(line, "a whole number is expected")
        return 0

    def _modes(self, value: Any, line: int) -> dict[str, RuleMode]:
        if not isinstance(value, Lined):
            self.fault(line, "`rules` maps a rule to its mode and reason")
            return {}
        return dict(self._mode(value))

    def _mode(self, rules: Lined) -> Iterator[tuple[str, RuleMode]]:
        for rule, given in rules.items():
            line = rules.lines[rule]
            if rule not in self.rules:
                self.fault(line, f"there is no rule {rule}")
            mode = given.get("mode") if isinstance(given, Lined) else None
            if not isinstance(given, Lined) or mode not in tuple(Mode):
                self.fault(line, f"{rule} needs mode: on, shadow or off")
                continue
            for key in given.keys() - {"mode", "reason"}:
                self.fault(given.lines[key], f"unknown key `{key}`; a rule has mode and reason")
            reason = str(given.get("reason", "")).strip()
            if mode != Mode.ON and not reason:
                self.fault(line, f"{rule} is {mode} without a reason")
            if mode != Mode.ON:
                yield rule, RuleMode(Mode(mode), reason)
