"""Opens one connection: every host in turn, each with its own limit, TLS checked, socket watched."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from dpolg_tui.config_file import reason
from dpolg_tui.domain.errors import Unreachable
from dpolg_tui.settings import is_loopback

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings

log = logging.getLogger(__name__)

HOST_LIMIT_LOWEST = 1.5
HOST_LIMIT_HIGHEST = 5.0

# A silent peer is noticed after 10 + 3 × 5 s when idle, after 12 s when something waits for its answer.
KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT = 10, 5, 3
USER_TIMEOUT_MS = 12_000

# booking_user may change the defaults of its own role (ALTER ROLE … SET), and its password is on every
# desk: what a spoilt default would break is said anew by each connection.
_OWN_DEFAULTS = {
    "application_name": "dpolg-tui",
    "jit": "off",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    "search_path": "pg_catalog",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
}

_JSON_TYPES = {"json": 114, "jsonb": 3802}  # fixed in the catalogue of every PostgreSQL

Host = tuple[str, int]
Tls = ssl.SSLContext | bool | str


def encode_json(value: object) -> str:
    """JSON as the functions of the database expect it: dates as ISO, money as text."""
    return json.dumps(value, default=_encode, ensure_ascii=False, allow_nan=False)


def decode_json(text: str) -> Any:
    """The value of a jsonb answer; numbers with a point stay exact."""
    return json.loads(text, parse_float=Decimal)


def _encode(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, tuple | frozenset | set):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def ssl_context(ssl_mode: str, ca_file: Path | None) -> ssl.SSLContext:
    """The context of ``ssl_mode``: verify-full checks chain and name, verify-ca the chain, others nothing."""
    if ssl_mode in ("verify-full", "verify-ca"):
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        context.check_hostname = ssl_mode == "verify-full"
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Hosts:
    """The servers of the configuration, the one that answered last first."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._order: list[Host] = list(settings.hosts)
        self._context: ssl.SSLContext | None = None

    @property
    def host_limit(self) -> float:
        """Seconds one host may take: ``connect_timeout``, less when there are more to try."""
        settings = self._settings
        if len(settings.hosts) == 1:
            return settings.connect_timeout
        share = settings.connect_timeout / len(settings.hosts)
        return min(HOST_LIMIT_HIGHEST, max(HOST_LIMIT_LOWEST, share))

    async def connect(
        self,
        server_settings: Mapping[str, str] | None = None,
        connection_class: type[asyncpg.Connection] = asyncpg.Connection,
    ) -> asyncpg.Connection:
        """A connection to the first host that takes writes; raises the most telling error of all hosts."""
        self._settings.require_verified_server()
        telling: BaseException | None = None
        for host in list(self._order):
            try:
                async with asyncio.timeout(self.host_limit):
                    connection = await self._connect_host(host, server_settings or {}, connection_class)
            except TimeoutError:
                telling = telling or TimeoutError("no answer within the limit of one host")
            except (
                OSError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,
            ) as error:
                # A server that answers "no" says more than one that is silent.
                if telling is None or isinstance(error, asyncpg.PostgresError):
                    telling = error
            else:
                if host != self._order[0]:
                    self._order.remove(host)
                    self._order.insert(0, host)
                return connection
        if telling is None:
            raise OSError("no host is configured")
        raise telling

    async def _connect_host(
        self, host: Host, server_settings: Mapping[str, str], connection_class: type[asyncpg.Connection]
    ) -> asyncpg.Connection:
        settings = self._settings
        mode = settings.ssl_mode
        plain_first = mode in ("disable", "allow") or (mode == "prefer" and is_loopback(host[0]))
        if not plain_first:
            tls: Tls = "prefer" if mode == "prefer" else await self._tls()
            return await self._connect_with(host, tls, server_settings, connection_class)
        try:
            return await self._connect_with(host, False, server_settings, connection_class)
        except asyncpg.InvalidPasswordError:
            raise
        except asyncpg.InvalidAuthorizationSpecificationError:
            # pg_hba lets nobody in without TLS. On loopback it is tried second: it would protect from
            # nobody there and costs a round trip where the server has none.
            if mode == "disable":
                raise
        return await self._connect_with(host, await self._tls(), server_settings, connection_class)

    async def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            # Reading the system's certificates takes some 20 ms.
            settings = self._settings
            try:
                self._context = await asyncio.to_thread(ssl_context, settings.ssl_mode, settings.ca_file)
            except ssl.SSLError:
                raise Unreachable(
                    f"In {settings.ca_file} steht kein Zertifikat: "
                    "bitte die Zertifikatsdatei (ca_file) prüfen."
                ) from None
            except OSError as error:
                raise Unreachable(
                    f"Das Zertifikat {settings.ca_file} lässt sich nicht lesen ({reason(error)}): "
                    "bitte die Zertifikatsdatei (ca_file) prüfen."
                ) from None
        return self._context

    async def _connect_with(
        self,
        host: Host,
        tls: Tls,
        server_settings: Mapping[str, str],
        connection_class: type[asyncpg.Connection],
    ) -> asyncpg.Connection:
        settings = self._settings
        connection: asyncpg.Connection = await asyncpg.connect(
            host=host[0],
            port=host[1],
            user=settings.username,
            password=settings.password,
            database=settings.database,
            ssl=tls,
            timeout=self.host_limit + 1,
            server_settings={
                **_OWN_DEFAULTS,
                "tcp_keepalives_idle": str(KEEPALIVE_IDLE),
                "tcp_keepalives_interval": str(KEEPALIVE_INTERVAL),
                "tcp_keepalives_count": str(KEEPALIVE_COUNT),
                "tcp_user_timeout": str(USER_TIMEOUT_MS),
                **server_settings,
            },
            target_session_attrs="read-write",
            connection_class=connection_class,
        )
        _watch_socket(connection)
        _exchange_json(connection)
        return connection


def _watch_socket(connection: asyncpg.Connection) -> None:
    """TCP keepalives and user time-out, as far as the platform has them: asyncpg sets none."""
    transport: asyncio.Transport = connection._transport
    peer: socket.socket | None = transport.get_extra_info("socket")
    if peer is None or peer.family not in (socket.AF_INET, socket.AF_INET6):
        return
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE),
        ("TCP_KEEPALIVE", KEEPALIVE_IDLE),  # macOS' name of it
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL),
        ("TCP_KEEPCNT", KEEPALIVE_COUNT),
        ("TCP_USER_TIMEOUT", USER_TIMEOUT_MS),
    ):
        option = getattr(socket, name, None)
        if option is None:
            continue
        try:
            peer.setsockopt(socket.IPPROTO_TCP, option, value)
        except OSError as error:
            # The heartbeat notices a silent peer too; a desk without this option still works.
            log.debug("%s cannot be set: %s", name, error.strerror)


def _exchange_json(connection: asyncpg.Connection) -> None:
    """Exchange json and jsonb as Python values.

    ``set_type_codec`` would first ask the server for the types, two round trips for what never changes.
    """
    for name, oid in _JSON_TYPES.items():
        connection.get_settings().add_python_codec(
            oid, name, "pg_catalog", [], "scalar", encode_json, decode_json, "text"
        )
