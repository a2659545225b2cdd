"""Until when certificates are valid: of a server, asked without trusting it, and of a file."""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))
"""PostgreSQL's question whether it encrypts: the answer is one letter, S or N."""

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18


@dataclass(frozen=True, slots=True)
class Greeted:
    """What a server said before anybody signed in: milliseconds of one round trip, and its certificate."""

    round_trip_ms: float
    tls: str | None
    """Version of TLS; None: it does not encrypt."""
    valid_until: datetime | None


async def greet(host: str, port: int, limit: float) -> Greeted:
    """Ask a server for TLS and look at its certificate; no secret is sent, so it need not be trusted.

    ``host`` may be the directory of a socket, where no server encrypts.
    ``limit`` in seconds for everything. Raises OSError, TimeoutError, ssl.SSLError.
    """
    async with asyncio.timeout(limit):
        reader, writer = await _open(host, port)
        try:
            begun = time.perf_counter()
            writer.write(SSL_REQUEST)
            answer = await reader.readexactly(1)
            milliseconds = (time.perf_counter() - begun) * 1000
            if answer != b"S":
                return Greeted(milliseconds, None, None)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            await writer.start_tls(context)
            encrypted: ssl.SSLObject = writer.get_extra_info("ssl_object")
            certificate = encrypted.getpeercert(binary_form=True)
            until = validity(certificate)[1] if certificate else None
            return Greeted(milliseconds, encrypted.version() or "TLS", until)
        except asyncio.IncompleteReadError:
            raise ConnectionResetError("the server left") from None
        finally:
            writer.transport.abort()


async def _open(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if sys.platform != "win32" and host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


def of_file(path: Path) -> list[datetime]:
    """Until when each certificate of a PEM file is valid. Raises OSError, ValueError."""
    text = path.read_text(encoding="ascii", errors="replace")
    return [validity(ssl.PEM_cert_to_DER_cert(pem))[1] for pem in _PEM.findall(text)]


def validity(certificate: bytes) -> tuple[datetime, datetime]:
    """First and last moment of a certificate in DER (RFC 5280). Raises ValueError for anything else.

    The standard library tells this only of certificates that it has verified: never of an expired one.
    """
    try:
        _, outer = next(_elements(certificate))
        _, content = next(_elements(outer))
        fields = [field for field in _elements(content) if field[0] != _VERSION]
        # Serial number, algorithm, issuer, validity.
        first, last = _elements(fields[3][1])
    except (StopIteration, IndexError) as error:
        raise ValueError("not a certificate") from error
    return _moment(*first), _moment(*last)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element of a sequence."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(data[at : at + count]), at + count
        if at + length > len(data):
            raise ValueError("not a certificate")
        yield tag, data[at : at + length]
        at += length


def _moment(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _GENERALIZED_TIME:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    if tag != _UTC_TIME:
        raise ValueError("not a certificate")
    # Years of two digits are of 1950 to 2049.
    century = "20" if int(text[:2]) < 50 else "19"
    return datetime.strptime(century + text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
