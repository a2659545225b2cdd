"""setup.sh twice, its services by hand, and a restart of the machine."""

from __future__ import annotations

import re
import time

from tools.server_trial.firewall import OTHER_PORT, as_on_oracle, look_at_firewall
from tools.server_trial.ground import NAME, SCRIPTS, Ground, NoServerError

SERVICES = ("backup", "verification", "housekeeping", "doctor")


def set_up(ground: Ground) -> None:
    """setup.sh as docs/server.md says: rehearsal, run, second run"""
    machine, report = ground.machine, ground.report
    state = machine.wait_until_up()
    failed = machine.answer("systemctl --failed --no-legend --plain")
    report.check(f"the image boots with systemd ({state})", state == "running" or bool(failed), failed)
    ground.facts["failed"] = failed
    if failed:
        report.note(f"failed before anything of ours: {failed}")
    report.note(machine.answer("systemctl --version | head -n 1; python3 --version"))
    if ground.oracle:
        as_on_oracle(machine)
    machine.copy(ground.wheel, SCRIPTS)
    rehearsal = machine.sh(f"{ground.setup} --dry-run")
    report.check("the rehearsal ends well", rehearsal.returncode == 0, rehearsal.stdout)
    report.check("… and does nothing", machine.sh("test ! -e /etc/dpolg-tui && ! which psql").returncode == 0)
    # A port that sshd's settings do not know, as with a socket of systemd.
    machine.sudo(
        "systemd-run", "--property=RuntimeDirectory=sshd", "/usr/sbin/sshd", "-D", "-p", str(OTHER_PORT)
    )
    started = time.monotonic()
    run = machine.sh(ground.setup, limit=1800, port=OTHER_PORT)
    took = time.monotonic() - started
    if not report.check(f"the first run ends well ({took:.0f} s)", run.returncode == 0, run.stdout):
        raise NoServerError("without a server")
    for line in re.findall(r"(?m)^   (?:– offen|!).*$", run.stdout):
        report.note(line.strip())
    second = machine.sh(ground.setup)
    report.check(
        "the second run changes nothing",
        second.returncode == 0 and "Alles war schon so: nichts geändert." in second.stdout,
        second.stdout,
    )
    _look_at_packages(ground)


def _look_at_packages(ground: Ground) -> None:
    machine, report = ground.machine, ground.report
    version = machine.answer("pg_lsclusters -h")
    ground.facts["version"] = version.split()[0]
    report.check(f"PostgreSQL runs ({version})", "online" in version, version)
    report.note(machine.answer("/opt/dpolg-tui/bin/python --version; dpolg-tui --version"))
    banned = machine.sudo("fail2ban-client", "status").stdout
    report.check(
        "fail2ban watches PostgreSQL and sshd", "dpolg-postgresql" in banned and "sshd" in banned, banned
    )
    upgrades = machine.sudo("unattended-upgrade", "--dry-run", "--debug")
    report.check("unattended-upgrade works (rehearsed)", upgrades.returncode == 0, upgrades.stdout)
    daily = machine.answer("systemctl is-enabled apt-daily.timer apt-daily-upgrade.timer || true").split()
    report.check("… and is due every day", daily == ["enabled", "enabled"], str(daily))
    _nothing_failed(ground)


def _nothing_failed(ground: Ground) -> None:
    failed = ground.machine.answer("systemctl --failed --no-legend --plain")
    ground.report.check("no other unit has failed", failed in {"", ground.facts["failed"]}, failed)


def look_at_services(ground: Ground) -> None:
    """the timers, and each of their services started by hand"""
    machine, report = ground.machine, ground.report
    timers = machine.answer("systemctl list-timers --no-pager --all 'dpolg-*'")
    report.keep("systemctl list-timers", timers)
    report.check("four timers wait", all(f"dpolg-{name}.timer" in timers for name in SERVICES), timers)
    for name in SERVICES:
        unit = f"dpolg-{name}.service"
        started = machine.sudo("systemctl", "start", unit)
        journal = machine.sudo("journalctl", "--no-pager", "--output=cat", "--unit", unit).stdout
        result = machine.answer(f"systemctl show --property=Result,ExecMainStatus {unit}")
        well = started.returncode == 0 and result.split() == ["Result=success", "ExecMainStatus=0"]
        report.check(f"{unit} ends well", well, started.stdout + journal)
        report.keep(unit, journal)
    backups = machine.sudo("ls", "-l", "/backups").stdout
    report.check(
        "the backup lies in /backups", bool(re.search(r"dpolg_backup_\d{8}_\d{6}\.dump", backups)), backups
    )
    states = machine.sudo(
        "dpolg-tui",
        "--dsn",
        "host=/var/run/postgresql dbname=dpolg_booking user=dpolg_owner",
        "doctor",
        "--json",
    )
    report.keep("doctor --json on the server", states.stdout)
    recorded = machine.answer(
        "cd / && sudo -u postgres psql -XAtd dpolg_booking -c 'SELECT kind, ok FROM app.backups ORDER BY id'"
    )
    right = recorded.split() == ["backup|t", "verification|t"]
    report.check("… and is recorded with its trial", right, recorded)


def restart(ground: Ground) -> None:
    """after a restart of the machine"""
    machine, report = ground.machine, ground.report
    state = machine.reboot()
    report.check(f"it comes back ({state})", state in {"running", "degraded"})
    _nothing_failed(ground)
    report.check("PostgreSQL runs", "online" in machine.answer("pg_lsclusters -h"))
    look_at_firewall(ground)
    timers = machine.answer("systemctl list-timers --no-pager 'dpolg-*'")
    report.check("the timers wait", all(f"dpolg-{name}.timer" in timers for name in SERVICES), timers)
    jails = machine.sudo("fail2ban-client", "status").stdout
    report.check("fail2ban watches", "dpolg-postgresql" in jails, jails)
    test = ground.desk("house", "config", "test")
    report.check(f"a desk reaches {NAME}", test.returncode == 0, test.stdout)
    again = machine.sh(ground.setup)
    report.check("setup.sh changes nothing", "nichts geändert" in again.stdout, again.stdout)
