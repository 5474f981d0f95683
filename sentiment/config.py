"""config.toml into checked settings. A mistake names file, key, value and choices."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args
from unicodedata import category
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from sentiment.surveys.settings import Survey, scale_conflict
from sources import registry
from sources.base import SourceError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from sources.base import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # Unicode's categories of what is not to be seen
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
LANGUAGE = "^[a-z]{2}$"
HOURS = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
ADDRESS = "^https?://[^/?#@]+/?$"
HEADER = "^[A-Za-z0-9-]+$"
ABOVE = ("language", "timezone", "contact")  # keys of the whole file
PATTERNS = {
    LANGUAGE: 'two small letters such as "de"',
    HOURS: 'two times such as "20:00-07:30"',
    ADDRESS: 'an address without a path, such as "https://sentiment.example.org"',
    HEADER: 'the name of a header, such as "Remote-User"',
}
TABLES = ("model_type", "model_attributes_type", "dict_type")
EXPECTED = {  # pydantic's type of error → what stands behind "expected"
    **dict.fromkeys(TABLES, "a table, such as [{key}] with its keys below"),
    "list_type": 'a list, such as ["one", "another"]',
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number, such as 2.5",
    "float_type": "a number, such as 2.5",
    "string_type": "text in quotes",
    "path_type": "a path in quotes",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
    "string_too_short": "at least {min_length} character(s)",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length}",
}


class ConfigError(Exception):
    """The configuration cannot be used; the message names file, key, value and remedy."""


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d+)\s*([smhdw])", value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError('expected a number and a unit (s, m, h, d, w), such as "15m"')
    return timedelta(seconds=int(match[1]) * UNITS[match[2]])


Duration = Annotated[timedelta, BeforeValidator(_duration)]


def _some_time(value: timedelta) -> timedelta:
    if not value:
        raise ValueError('expected "1s" or more')
    return value


Pause = Annotated[Duration, AfterValidator(_some_time)]


def _visible(name: str) -> str:
    """Controls and what turns the writing around would do so on every page; joiners stay."""
    hidden = [c for c in name if category(c) in HIDDEN and c not in "\u200c\u200d"]
    if hidden:
        raise ValueError(f"U+{ord(hidden[0]):04X} in it is not to be seen; type the name anew")
    return name


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_visible)]


class Section(BaseModel):
    """A table of config.toml: unknown keys are refused, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Term(Section):
    """Something that posts may name: a company, a competitor or a service.

    aliases: patterns of its names (see docs/matching.md); the name itself is always one.
    any_of, all_of, none_of: patterns the post must hold one of, all of, none of.
    """

    name: Name
    aliases: list[str] = []
    any_of: list[str] = []
    all_of: list[str] = []
    none_of: list[str] = []

    @field_validator("aliases", "any_of", "all_of", "none_of")
    @classmethod
    def _no_empty_pattern(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if not re.search(r"\w", pattern):
                raise ValueError(f'pattern "{pattern}" has no letter or digit to look for')
        return patterns


class Source(Section):
    """Where posts come from. The keys of the adapter stand beside the common ones.

    scope: "own" when every post of the source is about `company`; otherwise a post counts only
    if it names the company or a competitor.
    """

    model_config = ConfigDict(extra="allow")

    name: Name
    kind: str
    every: Pause = timedelta(minutes=15)
    scope: Literal["public", "own"] = "public"
    company: str | None = None
    language: str | None = Field(default=None, pattern=LANGUAGE)
    enabled: bool = True
    allow_private_addresses: bool = False

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        if kind not in registry.kinds():
            raise ValueError(f"expected one of: {', '.join(registry.kinds())}")
        return kind

    @cached_property
    def settings(self) -> Settings:
        """The adapter's own keys, checked by the adapter's own model.

        SourceError where the kind comes from another package that is broken: that harms this
        source and no other.
        """
        settings = registry.adapter(self.kind).Settings
        try:
            return settings.model_validate(self.model_extra or {})
        except ValidationError:
            raise
        except Exception as error:  # a bug in somebody else's checks; its words may hold a secret
            raise SourceError(
                f'the kind "{self.kind}" cannot check its own settings ({type(error).__name__}): '
                "update the package it comes from",
                permanent=True,
            ) from error


class Model(Section):
    """The classifier: the bundled one, or a Hugging Face directory or hub id."""

    name: str = "bundled"
    revision: str | None = None
    labels: dict[str, str] = {}
    threads: int | None = Field(default=None, ge=1)


class Surveys(Section):
    """The survey tool's exports, and when a figure is too small to be shown.

    folder: watched for files; relative to the folder of config.toml. min_responses: figures of
    fewer respondents are not shown. max_off: share of a column's cells that may be neither answers
    nor a usual way of giving none; above it the whole file is refused.
    """

    folder: Path | None = None
    every: Pause = timedelta(minutes=1)
    min_responses: int = Field(default=5, ge=1)
    max_off: float = Field(default=0.2, ge=0, le=1)
    survey: list[Survey] = []


def _long_enough(value: timedelta) -> timedelta:
    if not timedelta(days=14) <= value <= timedelta(days=730):
        raise ValueError('expected between "14d" and "730d"')
    return value


BaselineLength = Annotated[Duration, AfterValidator(_long_enough)]


def _whole_days(value: timedelta) -> timedelta:
    if value < timedelta(days=1) or value % timedelta(days=1):
        raise ValueError('expected whole days, such as "1d" or "2w"')
    return value


Days = Annotated[Duration, AfterValidator(_whole_days)]


def _an_hour(value: timedelta) -> timedelta:
    if value < timedelta(hours=1):
        raise ValueError('expected "1h" or more')
    return value


class ThresholdRule(Section):
    """Net sentiment below a fixed figure. below: −100 to 100; off when left out."""

    below: float | None = Field(default=None, ge=-100, le=100)
    window: Days = timedelta(days=14)
    min_authors: int = Field(default=20, ge=1)


class VolumeRule(Section):
    """Many more people than usual. factor: times the usual number in a window."""

    enabled: bool = True
    factor: float = Field(default=3.0, gt=1)
    window: Days = timedelta(days=2)
    min_authors: int = Field(default=15, ge=1)


class EmotionRule(Section):
    """Anger or fear in many more posts than usual. rise: in points of 100 of the authors."""

    enabled: bool = True
    rise: float = Field(default=25.0, gt=0, le=100)
    window: Days = timedelta(days=14)
    min_authors: int = Field(default=20, ge=1)


class SurveyRule(Section):
    """NPS or CSAT of a service or a customer class falls beyond chance.

    segments: classes watched on their own. z: standard errors between a window and the three
    windows before it. window: counted in whole days.
    """

    enabled: bool = True
    segments: list[str] = ["A"]
    z: float = Field(default=3.5, gt=0)
    window: Days = timedelta(days=28)
    min_answers: int = Field(default=20, ge=2)


class SourceRule(Section):
    """For the operator: a source that is not read any more, or a disk that fills up."""

    enabled: bool = True
    silent_for: Duration = timedelta(hours=6)
    min_disk_gb: float = Field(default=1.0, ge=0)


class ServiceAlerts(Section):
    """Other settings for one service: of what is given here, the keys that are given count."""

    service: str
    enabled: bool = True
    baseline: BaselineLength | None = None
    accept_after: Days | None = None
    threshold: ThresholdRule | None = None
    volume: VolumeRule | None = None
    emotion: EmotionRule | None = None
    survey: SurveyRule | None = None


class Alerts(Section):
    """What raises an alert. False alarms are a rate for the whole portfolio.

    accept_after: a drop that lasts so long is the usual state from then on.
    """

    enabled: bool = True
    false_alarms_per_year: float = Field(default=2.0, gt=0, le=365)
    baseline: BaselineLength = timedelta(days=90)
    accept_after: Days = timedelta(days=60)
    repeat: Annotated[Duration, AfterValidator(_an_hour)] = timedelta(days=7)
    threshold: ThresholdRule = ThresholdRule()
    volume: VolumeRule = VolumeRule()
    emotion: EmotionRule = EmotionRule()
    survey: SurveyRule = SurveyRule()
    source: SourceRule = SourceRule()
    services: list[ServiceAlerts] = []

    def of(self, service: str) -> Alerts:
        """The settings that count for a service: its own over those for all."""
        changed: dict[str, Any] = {}
        for own in (one for one in self.services if one.service == service):
            for key in own.model_fields_set - {"service", "enabled"}:
                given, usual = getattr(own, key), getattr(self, key)
                if isinstance(given, Section):
                    given = usual.model_copy(
                        update={name: getattr(given, name) for name in given.model_fields_set}
                    )
                changed[key] = given
        return self.model_copy(update=changed)


class Receiver(Section):
    """Who is told. url: an Apprise URL; tags: of what; quiet_hours: local, held back until after.

    services: only of these; of all when empty.
    """

    name: Name
    url: SecretStr
    tags: list[Literal["marketing", "operator"]] = ["marketing"]
    services: list[str] = []
    language: Literal["de", "en"] | None = None
    quiet_hours: str | None = Field(default=None, pattern=HOURS)
    expires_after: Annotated[Duration, AfterValidator(_an_hour)] = timedelta(days=3)

    @model_validator(mode="after")
    def _outlasts_the_quiet_hours(self) -> Receiver:
        """What happens in them would be given up before it could be sent."""
        if self.quiet_hours is not None:
            start, end = (
                timedelta(hours=int(clock[:2]), minutes=int(clock[3:]))
                for clock in self.quiet_hours.split("-")
            )
            if self.expires_after < (end - start) % timedelta(days=1) + timedelta(hours=1):
                raise ValueError(
                    "expires_after ends within the quiet hours; make it an hour longer than these"
                )
        return self

    @field_validator("url")
    @classmethod
    def _known_to_apprise(cls, url: SecretStr) -> SecretStr:
        from apprise import Apprise

        if not Apprise().add(url.get_secret_value()):
            raise ValueError(
                "Apprise does not know this address; expected such as "
                '"mailto://…" or "json://…" (https://github.com/caronc/apprise/wiki)'
            )
        return url


class Privacy(Section):
    """How authors are hidden and how long texts are kept.

    pseudonym_key: secret for the authors' pseudonyms; without it a key file beside the database.
    keep_texts: age at which texts, links and pseudonyms are erased; scores stay.
    deleted_posts: of a post deleted at its source everything goes but an anonymous score; "forget"
        takes that out of the figures too.
    """

    pseudonym_key: SecretStr | None = None
    keep_texts: Duration = timedelta(days=730)
    deleted_posts: Literal["keep-score", "forget"] = "keep-score"


class WebUser(Section):
    """Somebody who may acknowledge, silence and correct. password: its hash, never itself."""

    name: str = Field(min_length=1, max_length=100)
    password: SecretStr

    @field_validator("password")
    @classmethod
    def _hashed(cls, password: SecretStr) -> SecretStr:
        if not password.get_secret_value().startswith("$argon2"):
            raise ValueError('expected the hash that "sentiment serve --password" prints')
        return password


class Web(Section):
    """The pages in the browser.

    login: "changes" asks for it only before something is changed; "reading" before anything is
        shown, which is the rule wherever the pages can be reached from other machines.
    url: the address people use, where it is another (behind a proxy); used in messages.
    proxy_auth_header: header in which a proxy names who has logged in; trusted_proxies: from where
        it is believed.
    """

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=0, le=65535)
    url: str | None = Field(default=None, pattern=ADDRESS)
    login: Literal["changes", "reading"] = "changes"
    users: list[WebUser] = []
    proxy_auth_header: str | None = Field(default=None, pattern=HEADER)
    trusted_proxies: list[str] = ["127.0.0.1", "::1"]

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the pages."""
        return self.host in LOOPBACK

    @property
    def address(self) -> str:
        """Where people open the pages."""
        if self.url:
            return self.url.rstrip("/") + "/"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    @property
    def reading_needs_login(self) -> bool:
        """Whether nothing is shown without a login."""
        return self.login == "reading" or not self.local

    @model_validator(mode="after")
    def _guarded(self) -> Web:
        if self.reading_needs_login and not (self.users or self.proxy_auth_header):
            reason = f"host is {self.host}" if not self.local else 'login is "reading"'
            raise ValueError(
                f"{reason}, but nobody could log in: add [[web.users]] or proxy_auth_header"
                + ("" if self.local else ', or set host = "127.0.0.1"')
            )
        names = [user.name for user in self.users]
        if len(set(names)) < len(names):
            raise ValueError("two users have the same name")
        return self


class Database(Section):
    """Where sentiment.db lies; relative to the folder of config.toml."""

    path: Path = Path("sentiment.db")


class Config(Section):
    """The whole of config.toml."""

    language: Literal["de", "en"] = "de"
    timezone: str = "Europe/Berlin"
    contact: str = ""
    company: Term
    competitors: list[Term] = []
    services: list[Term] = Field(min_length=1)
    sources: list[Source] = []
    model: Model = Model()
    surveys: Surveys = Surveys()
    alerts: Alerts = Alerts()
    receivers: list[Receiver] = []
    privacy: Privacy = Privacy()
    database: Database = Database()
    web: Web = Web()

    folder: Path = Field(default=Path(), exclude=True)
    """The folder of config.toml: relative paths start here. Set on loading, not a key."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except Exception as error:
            raise ValueError("expected an IANA name such as Europe/Berlin") from error
        return name

    @model_validator(mode="after")
    def _names_are_unique_and_known(self) -> Config:
        for what, names in (
            ("company", [term.name for term in self.companies]),
            ("service", [service.name for service in self.services]),
            ("source", [source.name for source in self.sources]),
            ("receiver", [receiver.name for receiver in self.receivers]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f'two {what} entries are named "{twice.pop()}"; names are unique')
        companies = [term.name for term in self.companies]
        for index, source in enumerate(self.sources):
            if source.company is not None and source.company not in companies:
                raise ValueError(
                    f'sources[{index}].company is "{source.company}"; expected one of: '
                    + ", ".join(companies)
                )
            if source.company is not None and source.scope != "own":
                raise ValueError(
                    f'sources[{index}].company counts only with scope = "own", where every post is '
                    "about it: add that, or take company out"
                )
        return self

    @model_validator(mode="after")
    def _surveys_fit(self) -> Config:
        surveys, services = self.surveys.survey, [service.name for service in self.services]
        taken = [source.name for source in self.sources]
        for index, survey in enumerate(surveys):
            if survey.name in taken:
                raise ValueError(
                    f'surveys.survey[{index}].name is "{survey.name}", which another survey or a '
                    "source has; their posts would be mixed"
                )
            taken.append(survey.name)
            for key in ("questions", "comments"):
                for place, part in enumerate(getattr(survey, key)):
                    if part.service is not None and part.service not in services:
                        raise ValueError(
                            f'surveys.survey[{index}].{key}[{place}].service is "{part.service}"; '
                            f"expected one of: {', '.join(services)}"
                        )
        if conflict := scale_conflict(surveys):
            raise ValueError(f"surveys: {conflict}")
        return self

    @model_validator(mode="after")
    def _alerts_name_services(self) -> Config:
        known = [service.name for service in self.services]
        named = [
            (f"alerts.services[{i}].service", [a.service])
            for i, a in enumerate(self.alerts.services)
        ]
        named += [(f"receivers[{i}].services", r.services) for i, r in enumerate(self.receivers)]
        for key, names in named:
            for name in names:
                if name not in known:
                    raise ValueError(f'{key} is "{name}"; expected one of: {", ".join(known)}')
        return self

    @property
    def companies(self) -> list[Term]:
        """The company first, then its competitors."""
        return [self.company, *self.competitors]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days begin and end."""
        return ZoneInfo(self.timezone)

    @property
    def database_path(self) -> Path:
        """Where the database lies, as an absolute path."""
        return (self.folder / self.database.path).absolute()


def load(path: Path) -> Config:
    """Read, fill in secrets, and check a configuration file; ConfigError says what is wrong."""
    try:
        raw = tomllib.loads(_text(path))
    except FileNotFoundError:
        raise ConfigError(
            f'{path} does not exist; "sentiment init" writes a commented one'
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    if "folder" in raw:
        raise ConfigError(f"{path}: folder is not a known key")
    try:
        filled = _fill_secrets(raw, path.parent)
        config = Config.model_validate({**filled, "folder": path.parent.absolute()})
    except ValidationError as error:
        raise ConfigError(_sentences(path, error, raw)) from None
    except _SecretError as error:
        raise ConfigError(f"{path}: {error}") from None
    for index, source in enumerate(config.sources):
        try:
            _ = source.settings
        except ValidationError as error:
            raise ConfigError(_sentences(path, error, raw, ("sources", index))) from None
        except SourceError:  # a broken package: told when the source is read, as its error
            continue
    return config


def _text(path: Path) -> str:
    """The file's text; some editors begin UTF-8 with a mark."""
    body = path.read_bytes()
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path} is not UTF-8 text (line {line}): save it in that encoding"
        ) from None


def parse_duration(text: str) -> timedelta:
    """A duration as config.toml writes it; ValueError says what was expected."""
    length = _duration(text)
    assert isinstance(length, timedelta)  # noqa: S101 - for mypy
    return length


def with_alerts(config: Config, false_alarms: float | None, baseline: str | None) -> Config:
    """The same configuration with other settings of the sequential test."""
    changed: dict[str, Any] = {}
    if false_alarms is not None:
        changed["false_alarms_per_year"] = false_alarms
    if baseline is not None:
        changed["baseline"] = _long_enough(parse_duration(baseline))
    return config.model_copy(update={"alerts": config.alerts.model_copy(update=changed)})


class _SecretError(Exception):
    pass


def _fill_secrets(value: Any, folder: Path, where: str = "") -> Any:
    """Replace ${NAME} by the environment's value and ${file:PATH} by the file's content."""
    if isinstance(value, dict):
        return {
            key: _fill_secrets(item, folder, f"{where}.{key}" if where else key)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_fill_secrets(item, folder, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, str):
        return re.sub(r"\$\{([^}]+)\}", lambda found: _secret(found[1], folder, where), value)
    return value


def _secret(name: str, folder: Path, where: str) -> str:
    if name.startswith("file:"):
        try:
            secret = (folder / name.removeprefix("file:")).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise _SecretError(f"{where} is ${{{name}}}, which cannot be read: {reason}") from None
        if not secret:
            raise _SecretError(f"{where} is ${{{name}}}, which is empty")
        return secret
    if name not in os.environ:
        raise _SecretError(f"{where} is ${{{name}}}, but the environment has no {name}; set it")
    if not os.environ[name]:
        raise _SecretError(f"{where} is ${{{name}}}, but {name} is empty in the environment")
    return os.environ[name]


def _sentences(
    path: Path, error: ValidationError, raw: dict[str, Any], prefix: tuple[str | int, ...] = ()
) -> str:
    """One line for each mistake: file, key, value as written (never a filled-in secret), remedy."""
    lines = []
    for problem in error.errors():
        loc = (*prefix, *(part for part in problem["loc"] if part != "[key]"))
        key = _dotted(loc)
        found, value = _lookup(raw, loc)
        match problem["type"]:
            case "extra_forbidden":
                said = f"{key} is not a known key{_choices(loc, raw)}"
            case "missing":
                said = f"{key} is missing"
            case _:
                message = _expected(problem, key, value)
                shown = found and loc and not isinstance(value, dict | list)
                said = f"{key} is {_shown(value)}; {message}" if shown else _join(key, message)
        lines.append(f"{path}: {said}{_entry(raw, loc)}")
    return "\n".join(lines)


def _expected(problem: ErrorDetails, key: str, value: object) -> str:
    """What should stand there, in the words of whoever writes TOML."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "list_type" and isinstance(value, dict):
        return f"there may be several: write [[{key}]], with two pairs of brackets"
    if kind in TABLES and isinstance(value, list):
        return f"there is only one: write [{key}], with one pair of brackets"
    if kind == "literal_error":
        choices = context["expected"].replace(" or ", ", ").replace("'", "")
        return f"expected one of: {choices}"
    expected = PATTERNS.get(context.get("pattern", "")) or EXPECTED.get(kind)
    if expected:
        return f"expected {expected.format(key=key, **context)}"
    return problem["msg"].removeprefix("Value error, ")


def _entry(raw: dict[str, Any], loc: tuple[str | int, ...]) -> str:
    """The name of the entry that a key stands in: nobody counts entries from 0."""
    for length in range(len(loc) - 1, 0, -1):
        _, entry = _lookup(raw, loc[:length])
        if isinstance(loc[length - 1], int) and isinstance(entry, dict) and loc[length] != "name":
            name = entry.get("name") or entry.get("column")
            return f' (in "{name}")' if isinstance(name, str) else ""
    return ""


def _join(key: str, message: str) -> str:
    return f"{key}: {message}" if key else message


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _dotted(loc: tuple[str | int, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _lookup(raw: Any, loc: tuple[str | int, ...]) -> tuple[bool, Any]:
    for part in loc:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return False, None
    return True, raw


def _choices(loc: tuple[str | int, ...], raw: dict[str, Any]) -> str:
    """What could have been meant: the section's keys, the nearest one first."""
    known = sorted(_known_keys(loc[:-1], raw))
    near = difflib.get_close_matches(str(loc[-1]), known, n=1)
    hint = f' (did you mean "{near[0]}"?)' if near else ""
    if len(loc) > 1 and loc[-1] in ABOVE:
        hint = f" here: {loc[-1]} stands above the first section"
    return f"{hint}; expected one of: {', '.join(known)}"


def _known_keys(section: tuple[str | int, ...], raw: dict[str, Any]) -> set[str]:
    model: Any = Config
    for part in section:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = (get_args(annotation) or (annotation,))[0]
    keys = set(model.model_fields) - {"folder"}
    if model is Source:
        _, kind = _lookup(raw, (*section, "kind"))
        if kind in registry.kinds():
            keys |= set(registry.adapter(kind).Settings.model_fields)
    return keys
