"""The sections of the settings, one class each, with what each setting means and an example of it."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, PositiveInt, SecretStr, field_validator, model_validator

from core.config_base import Fault, Section, absolute, is_loopback

LANGUAGES = ("lt", "ru", "en")


class Security(StrEnum):
    """How a connection is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


class MailAuth(StrEnum):
    """How we prove who we are to a mail server."""

    PASSWORD = "password"  # noqa: S105 - the name of a method
    XOAUTH2 = "xoauth2"
    OAUTHBEARER = "oauthbearer"


class OAuthProvider(StrEnum):
    """Who gives access tokens."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"
    CUSTOM = "custom"


class Company(Section):
    """Who we are: what documents, signatures and screens show."""

    name: str = Field(
        default="Our company",
        min_length=1,
        description="The name clients know.",
        examples=["Šiaurės siurbliai"],
    )
    legal_name: str = Field(
        default="", description="The registered name.", examples=["UAB „Šiaurės siurbliai“"]
    )
    code: str = Field(default="", description="Company code.", examples=["302345678"])
    vat: str = Field(default="", description="VAT payer's code.", examples=["LT100001234567"])
    address: str = Field(
        default="",
        description="Street, post code, town, country.",
        examples=["Savanorių pr. 1, LT-03116 Vilnius"],
    )
    phone: str = Field(default="", description="Telephone.", examples=["+370 5 200 0000"])
    email: str = Field(default="", description="Address shown on documents.", examples=["info@example.lt"])
    website: str = Field(default="", description="Website.", examples=["https://www.example.lt"])
    bank: str = Field(
        default="",
        description="Bank, account and BIC, as printed on invoices.",
        examples=["LT12 1000 0111 0100 1000"],
    )
    languages: list[str] = Field(
        default=list(LANGUAGES),
        min_length=1,
        description="Languages we answer in.",
        examples=[["lt", "ru", "en"]],
    )
    default_language: str = Field(
        default="en", description="Where a client's language is not known.", examples=["lt"]
    )
    timezone: str = Field(
        default="Europe/Vilnius", description="Zone of the working day.", examples=["Europe/Vilnius"]
    )
    logo: Path | None = Field(
        default=None, description="Picture for documents, PNG or SVG.", examples=["logo.svg"]
    )
    public_url: str = Field(
        default="http://127.0.0.1:8080",
        description="The address at which clients and Twilio reach us.",
        examples=["https://desk.example.lt"],
    )

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, value: list[str]) -> list[str]:
        if unknown := [language for language in value if language not in LANGUAGES]:
            raise ValueError(f"{unknown[0]!r} is not one of {', '.join(LANGUAGES)}")
        return value

    @field_validator("public_url")
    @classmethod
    def _url(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("it must begin with https:// or http://")
        return value.rstrip("/")

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is not a time zone") from error
        return value

    @field_validator("logo")
    @classmethod
    def _logo(cls, value: Path | None) -> Path | None:
        if value is not None and not absolute(value).is_file():
            raise ValueError(f"{value} is not there")
        return None if value is None else absolute(value)

    @model_validator(mode="after")
    def _default_language_is_ours(self) -> Self:
        if self.default_language not in self.languages:
            raise Fault("default_language", f"{self.default_language!r} is not among languages")
        return self


class Database(Section):
    """How the database is used."""

    bin_dir: Path | None = Field(
        default=None,
        description="Folder of PostgreSQL's programs, instead of the ones that came with frontdesk.",
        examples=["/usr/lib/postgresql/17/bin"],
    )
    pool_size: PositiveInt = Field(default=10, description="Connections each process keeps.", examples=[10])
    statement_timeout_seconds: float = Field(
        default=60.0, ge=0, description="The longest one statement may take.", examples=[60]
    )


class OAuth(Section):
    """Access tokens instead of a password."""

    provider: OAuthProvider = Field(description="microsoft, google or custom.", examples=["microsoft"])
    tenant: str = Field(
        default="common", description="Microsoft's directory (tenant).", examples=["contoso.onmicrosoft.com"]
    )
    client_id: str = Field(min_length=1, description="The application's id.", examples=["0f1e2d3c-..."])
    client_secret: SecretStr | None = Field(
        default=None, description="The application's secret.", examples=["..."]
    )
    client_secret_file: Path | None = Field(
        default=None, description="A file that holds it.", examples=["/run/secrets/client"]
    )
    refresh_token: SecretStr | None = Field(
        default=None, description="The mailbox's refresh token.", examples=["0.AXoA..."]
    )
    refresh_token_file: Path | None = Field(
        default=None, description="A file that holds it.", examples=["/run/secrets/refresh"]
    )
    token_url: str = Field(
        default="",
        description="Where tokens are given; known for microsoft and google.",
        examples=["https://..."],
    )
    scope: str = Field(
        default="", description="What is asked for; known for microsoft and google.", examples=["imap"]
    )

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.provider is OAuthProvider.CUSTOM and not self.token_url:
            raise Fault("token_url", "it is missing, and a custom provider needs it")
        return self


def _refuse_plain_abroad(security: Security, host: str) -> None:
    if security is Security.PLAIN and not is_loopback(host):
        raise Fault(
            "security", f"'plain' would show everything on the way to {host}, and is for this machine only"
        )


class Mailbox(Section):
    """One mailbox that is read over IMAP."""

    name: str = Field(min_length=1, max_length=60, description="Our name for it, unique.", examples=["sales"])
    address: str = Field(
        description="Its address.", examples=["sales@example.lt"], pattern=r"^[^@\s]+@[^@\s]+$"
    )
    host: str = Field(min_length=1, description="The IMAP server.", examples=["imap.example.lt"])
    port: int = Field(
        default=0, ge=0, le=65535, description="Its port; 993 for tls, else 143.", examples=[993]
    )
    security: Security = Field(
        default=Security.TLS, description="tls, starttls, or plain on this machine.", examples=["tls"]
    )
    username: str = Field(
        default="", description="Its user name; the address unless given.", examples=["sales@example.lt"]
    )
    auth: MailAuth = Field(
        default=MailAuth.PASSWORD, description="password, xoauth2 or oauthbearer.", examples=["password"]
    )
    password: SecretStr | None = Field(
        default=None, description="Its password.", examples=["correct horse battery staple"]
    )
    password_file: Path | None = Field(
        default=None, description="A file that holds it.", examples=["/run/secrets/sales"]
    )
    oauth: OAuth | None = Field(default=None, description="Access tokens, for xoauth2 and oauthbearer.")
    folder: str = Field(
        default="INBOX", min_length=1, description="The folder that is read.", examples=["INBOX"]
    )
    team: str = Field(
        default="", description="The team its mail goes to unless a rule says otherwise.", examples=["sales"]
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates to trust beside the system's.", examples=["ca.pem"]
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _refuse_plain_abroad(self.security, self.host)
        if not self.port:
            object.__setattr__(self, "port", 993 if self.security is Security.TLS else 143)
        if not self.username:
            object.__setattr__(self, "username", self.address)
        if self.auth is MailAuth.PASSWORD and self.password is None and self.password_file is None:
            raise Fault("password", "it is missing, and so is password_file")
        if self.auth is not MailAuth.PASSWORD and self.oauth is None:
            raise Fault("oauth", f"it is missing, and auth = '{self.auth}' needs it")
        return self


class Relay(Section):
    """The SMTP server that takes our mail."""

    host: str = Field(min_length=1, description="The SMTP server.", examples=["smtp.example.lt"])
    port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Its port; 465 for tls, 587 for starttls, else 25.",
        examples=[587],
    )
    security: Security = Field(
        default=Security.STARTTLS,
        description="tls, starttls, or plain on this machine.",
        examples=["starttls"],
    )
    username: str = Field(
        default="", description="User name; empty when the relay asks for none.", examples=["desk@example.lt"]
    )
    password: SecretStr | None = Field(
        default=None, description="Password.", examples=["correct horse battery staple"]
    )
    password_file: Path | None = Field(
        default=None, description="A file that holds it.", examples=["/run/secrets/relay"]
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates to trust beside the system's.", examples=["ca.pem"]
    )
    from_address: str = Field(
        description="The address we write from.", examples=["sales@example.lt"], pattern=r"^[^@\s]+@[^@\s]+$"
    )
    from_name: str = Field(
        default="",
        description="The name beside it; the company's unless given.",
        examples=["Šiaurės siurbliai"],
    )
    hostname: str = Field(
        default="", description="Our name in EHLO; this machine's unless given.", examples=["desk.example.lt"]
    )
    max_connections: PositiveInt = Field(default=4, description="Connections at once.", examples=[4])
    rate_per_minute: int = Field(
        default=0, ge=0, description="Messages a minute at most; 0 for no limit.", examples=[300]
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _refuse_plain_abroad(self.security, self.host)
        if not self.port:
            ports = {Security.TLS: 465, Security.STARTTLS: 587, Security.PLAIN: 25}
            object.__setattr__(self, "port", ports[self.security])
        if self.username and self.password is None and self.password_file is None:
            raise Fault("password", "it and password_file are missing, and username is given")
        return self


class Twilio(Section):
    """The telephone."""

    account_sid: str = Field(
        description="The account.", examples=["AC0123456789abcdef0123456789abcdef"], pattern=r"^AC\w{32}$"
    )
    auth_token: SecretStr | None = Field(
        default=None, description="Its token.", examples=["32 hexadecimal digits"]
    )
    auth_token_file: Path | None = Field(
        default=None, description="A file that holds it.", examples=["/run/secrets/twilio"]
    )
    previous_auth_token: SecretStr | None = Field(
        default=None,
        description="The token before, still accepted on webhooks while it is changed.",
        examples=["..."],
    )
    previous_auth_token_file: Path | None = Field(
        default=None, description="A file that holds it.", examples=["/run/secrets/old"]
    )
    api_base: str = Field(
        default="https://api.twilio.com",
        description="Where the API answers.",
        examples=["https://api.twilio.com"],
    )
    numbers: list[str] = Field(
        default_factory=list, description="Our numbers, in E.164.", examples=[["+37052000000"]]
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.auth_token is None and self.auth_token_file is None:
            raise Fault("auth_token", "it is missing, and so is auth_token_file")
        return self


class Desk(Section):
    """The web application for staff."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="The address it listens on.", examples=["127.0.0.1"]
    )
    port: int = Field(default=8080, ge=1, le=65535, description="The port it listens on.", examples=[8080])
    processes: int = Field(
        default=2,
        ge=1,
        le=32,
        description="Processes that draw pages side by side, each on one processor (on Linux).",
        examples=[4],
    )
    session_hours: float = Field(
        default=12.0, gt=0, le=720, description="A login ends after so many idle hours.", examples=[12]
    )
    trusted_proxies: list[str] = Field(
        default_factory=list,
        description="Addresses or networks whose X-Forwarded-* headers we believe.",
        examples=[["127.0.0.1", "10.0.0.0/8"]],
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for network in value:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError as error:
                raise ValueError(f"{network!r} is not an address or network") from error
        return value


class Pressure(Section):
    """How much one contact gets without a person writing it, over all senders and channels."""

    touches: int = Field(
        default=3,
        ge=1,
        le=100,
        description="Letters, messages and calls by machine to one contact at most.",
        examples=[2],
    )
    days: int = Field(default=7, ge=1, le=90, description="Within so many days.", examples=[7])


class Workers(Section):
    """Background work."""

    processes: int = Field(
        default=1, ge=0, le=64, description="Worker processes that `serve` runs.", examples=[2]
    )
    threads: int = Field(default=8, ge=1, le=200, description="Jobs each runs at once.", examples=[8])
    queues: list[str] = Field(
        default_factory=list, description="Only these queues; empty for all.", examples=[["inbound"]]
    )
    drain_seconds: float = Field(
        default=30.0, gt=0, description="Time to finish running jobs when told to stop.", examples=[30]
    )


class LogLevel(StrEnum):
    """The least important thing that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How it is written."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class Log(Section):
    """What is logged, and how."""

    level: LogLevel = Field(
        default=LogLevel.INFO, description="debug, info, warning or error.", examples=["info"]
    )
    format: LogFormat = Field(
        default=LogFormat.AUTO,
        description="console, json, or auto: console on a terminal.",
        examples=["json"],
    )
