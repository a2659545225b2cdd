"""The section "Later" of docs/server.md, word for word."""

from __future__ import annotations

from tools.server_trial.ground import Ground

_DSN = '--dsn "host=/var/run/postgresql dbname=dpolg_booking user={}"'


def later(ground: Ground) -> None:
    """update, owner's commands, another name, more desks, a backup to a second place, an error of doctor"""
    machine, report = ground.machine, ground.report
    for what, command in (
        ("upgrade-db as postgres", f"sudo dpolg-tui {_DSN.format('postgres')} upgrade-db"),
        ("user list as dpolg_owner", f"sudo dpolg-tui {_DSN.format('dpolg_owner')} user list"),
        ("one more --name", f"{ground.setup} --name db.example.org"),
        ("--desks 20", f"{ground.setup} --name db.example.org --desks 20"),
        ("back again", ground.setup),
    ):
        done = machine.sh(command)
        report.check(what, done.returncode == 0, done.stdout)
        report.keep(what, done.stdout)
        desk = ground.desk("house", "config", "test")
        report.check("… and a desk still gets in", desk.returncode == 0, desk.stdout)
    _second_place(ground)
    _error(ground)


def _second_place(ground: Ground) -> None:
    """copy_command as docs/backup.md has it, by the timer's service."""
    machine, report = ground.machine, ground.report
    add = (
        "sudo sed -i '/^directory/a copy_command = \"cp {file} /var/lib/dpolg-tui/\"'"
        " /etc/dpolg-tui/server.toml"
        " && sudo systemctl start dpolg-backup.service"
    )
    done = machine.sh(add)
    journal = machine.sudo("journalctl", "-n", "6", "-o", "cat", "-u", "dpolg-backup.service").stdout
    report.check("a backup with copy_command", done.returncode == 0, f"{done.stdout}\n{journal}")
    there = machine.sudo("ls", "/var/lib/dpolg-tui").stdout
    report.check("… lies in the second place", "dpolg_backup_" in there, f"{there}\n{journal}")


def _error(ground: Ground) -> None:
    machine, report = ground.machine, ground.report
    machine.sudo("systemctl", "stop", "postgresql")
    for name in ("doctor", "backup"):
        unit = f"dpolg-{name}.service"
        # Wants=postgresql.service would start it again.
        machine.sudo("systemctl", "mask", "--runtime", "--now", "postgresql")
        done = machine.sudo("systemctl", "start", unit)
        journal = machine.sudo("journalctl", "-n", "8", "-o", "cat", "-u", unit).stdout
        told = done.returncode != 0 and "systemctl status postgresql" in journal
        report.check(f"without PostgreSQL {unit} fails and says what to do", told, journal)
        failed = machine.answer("systemctl --failed --no-legend --plain")
        report.check("… and systemctl --failed shows it", unit in failed, failed)
    machine.sudo("systemctl", "unmask", "--runtime", "postgresql")
    machine.sudo("systemctl", "start", "postgresql")
    machine.sudo("systemctl", "reset-failed")
    again = machine.sudo("systemctl", "start", "dpolg-doctor.service")
    report.check("PostgreSQL is back, doctor is content", again.returncode == 0, again.stdout)
