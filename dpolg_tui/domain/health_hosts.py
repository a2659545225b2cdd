"""What was seen of the servers from outside: whether they answer, how they encrypt, their clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from dpolg_tui.domain.german import format_date
from dpolg_tui.domain.health_figures import Authority, Check, Figures, HostFigures, fine, unseen, wrong
from dpolg_tui.domain.health_server import number
from dpolg_tui.domain.problems import Problem

SLOW_ROUND_TRIP_MS = 150.0
"""Above it people notice every key that asks the database."""
CERTIFICATE_WARNING = timedelta(days=30)
CLOCK_WARNING, CLOCK_ERROR = 60.0, 3600.0
"""Seconds. The screen's today is this computer's, all that is stored has the server's time."""


def judge_hosts(figures: Figures) -> Iterator[Check]:
    """Each server, its encryption, and the clocks."""
    works = any(_works(host) for host in figures.hosts)
    for host in figures.hosts:
        yield _host(host, works=works)
    if any(host.standby for host in figures.hosts) and not works:
        yield wrong(
            Problem.PRIMARY_MISSING,
            "Es antworten nur Server, die einem anderen folgen: niemand kann etwas speichern.",
            "Bitte den ersten Server starten oder einen der anderen befördern (docs/standby.md).",
        )
    for host in figures.hosts:
        if host.no_tls:
            yield unseen("tls", host.no_tls, host.address)
        elif host.round_trip_ms is not None and host.looked_for_tls:
            yield _encryption(host, figures.now)
    for authority in figures.authorities:
        yield _authority(authority, figures.now)
    yield _clock(figures)


def _works(host: HostFigures) -> bool:
    return host.round_trip_ms is not None and not host.error and not host.standby


def _host(host: HostFigures, *, works: bool) -> Check:
    figures = {"round_trip_ms": host.round_trip_ms, "standby": host.standby}
    if host.round_trip_ms is None or (host.error and not host.standby):
        says, remedy = sentence_parts(host.error)
        return wrong(
            # With another one that works the house goes on.
            Problem.HOST_ONE_UNUSABLE if works else Problem.HOST_UNUSABLE,
            says or "Antwortet nicht.",
            remedy or "Bitte Netzwerk und Server prüfen.",
            host.address,
            figures,
        )
    time = f"{number(host.round_trip_ms, 1)} ms"
    if host.standby:
        says = f"Antwortet in {time}; er folgt dem schreibenden Server."
        return fine("host", says, host.address, figures)
    if host.round_trip_ms > SLOW_ROUND_TRIP_MS:
        return wrong(
            Problem.HOST_SLOW,
            f"Antwortet erst nach {time}: das Arbeiten wird zäh.",
            "Bitte die Netzwerkverbindung zum Server prüfen (WLAN, VPN, ausgelastete Leitung).",
            host.address,
            figures,
        )
    return fine("host", f"Antwortet in {time}.", host.address, figures)


def sentence_parts(sentence: str) -> tuple[str, str]:
    """What is wrong and what to do of a sentence "… : bitte …"."""
    says, found, remedy = sentence.partition(": bitte ")
    return (f"{says}.", f"Bitte {remedy}") if found else (sentence, "")


def _encryption(host: HostFigures, now: datetime) -> Check:
    address = host.tls_address or host.address
    if host.tls is not None:
        return _certificate(
            address,
            host.tls.valid_until,
            now,
            f"{host.tls.version}, Zertifikat",
            "Bitte das Zertifikat auf dem Server erneuern (docs/server.md): danach verbindet sich kein "
            "Arbeitsplatz mehr.",
            (Problem.TLS_ENDING, Problem.TLS_ENDED),
        )
    if host.local:
        return fine("tls", "Unverschlüsselt, aber nur auf diesem Rechner.", address)
    return wrong(
        Problem.TLS_MISSING,
        "Der Server verschlüsselt nicht: Passwörter und Gästedaten gehen offen durchs Netz.",
        "Bitte TLS auf dem Server einschalten (docs/server.md) und ssl_mode auf verify-full lassen.",
        address,
    )


def _authority(authority: Authority, now: datetime) -> Check:
    if authority.valid_until is None:
        return unseen(
            "tls", "Die Datei mit dem Ausstellerzertifikat (ca_file) ist nicht lesbar.", authority.name
        )
    return _certificate(
        authority.name,
        authority.valid_until,
        now,
        "Ausstellerzertifikat (ca_file),",
        "Bitte ein neues Ausstellerzertifikat machen und an alle Arbeitsplätze verteilen.",
        (Problem.TLS_CA_ENDING, Problem.TLS_CA_ENDED),
    )


def _certificate(
    subject: str, until: datetime, now: datetime, what: str, remedy: str, problems: tuple[Problem, Problem]
) -> Check:
    left = until - now
    day = format_date(until.date())
    figures = {"valid_until": until.isoformat(), "days_left": left.days}
    ending, ended = problems
    if left <= timedelta(0):
        remedy = remedy.replace("danach verbindet", "bis dahin verbindet")
        return wrong(ended, f"{what} abgelaufen am {day}.", remedy, subject, figures)
    if left < CERTIFICATE_WARNING:
        return wrong(ending, f"{what} gilt nur noch bis {day}.", remedy, subject, figures)
    return fine("tls", f"{what} gilt bis {day}.", subject, figures)


def _clock(figures: Figures) -> Check:
    offset = figures.clock_offset
    if offset is None:
        return unseen("clock", figures.no_database)
    ahead = abs(offset)
    values = {"offset_seconds": round(offset, 3)}
    if ahead < CLOCK_WARNING:
        return fine("clock", f"{number(ahead, 1)} s Unterschied zum Server.", figures=values)
    much = (
        f"{number(ahead / 60, 0)} Minuten"
        if ahead < CLOCK_ERROR * 2
        else f"{number(ahead / 3600, 0)} Stunden"
    )
    return wrong(
        Problem.CLOCK_WRONG if ahead >= CLOCK_ERROR else Problem.CLOCK_OFF,
        f"Die Uhr dieses Rechners geht gegenüber dem Server {much} {'vor' if offset > 0 else 'nach'}.",
        "Bitte auf beiden Rechnern die Uhr nach dem Internet stellen lassen (NTP).",
        figures=values,
    )
