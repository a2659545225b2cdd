"""standby.sh between two machines, as docs/standby.md says; the first one dies at the end."""

from __future__ import annotations

import shlex

from tools.server_trial import network
from tools.server_trial.ground import NAME, SCRIPTS, Ground
from tools.server_trial.machine import Machine, from_place, machine

OTHER = "db2.example.org"


def standby(ground: Ground) -> None:
    """a second machine that follows and takes over"""
    first, report = ground.machine, ground.report
    with machine("db2", ground.image, ground.folder, ground.proxy) as second:
        second.wait_until_up()
        second.copy(ground.wheel, SCRIPTS)
        peer = first.sh(f"{ground.setup} --peer {OTHER}")
        report.check("db1: setup.sh --peer ends well", peer.returncode == 0, peer.stdout)
        allowed = first.sh(f"sudo server/standby.sh allow --standby {network.SECOND_MACHINE}")
        report.check("db1: allow ends well", allowed.returncode == 0, allowed.stdout)
        _copy_settings(ground, first, second)
        options = f"--name {OTHER} --from {network.HOUSE} --wheel {ground.wheel.name}"
        prepared = second.sh(f"sudo server/setup.sh --standby {options}", limit=1800)
        report.check("db2: setup.sh --standby ends well", prepared.returncode == 0, prepared.stdout)
        followed = second.sh(f"sudo server/standby.sh follow --primary {NAME}")
        report.check("db2: follow ends well", followed.returncode == 0, followed.stdout)
        for name, asked in (("db1", first), ("db2", second)):
            said = asked.sh("sudo server/standby.sh status")
            report.check(f"{name}: status: {said.stdout.strip()}", said.returncode == 0)
        again = second.sh(f"sudo server/setup.sh --standby {options}")
        report.check("db2: setup.sh again changes nothing", "nichts geändert" in again.stdout, again.stdout)
        both = ground.changed_configuration("both", host=f'["{NAME}", "{OTHER}"]')
        test = ground.desk("house", "config", "test", configuration=both)
        report.check("a desk with both hosts", test.returncode == 0, test.stdout)
        report.keep("config test with both hosts", test.stdout)
        refused = second.sh("sudo server/standby.sh promote")
        still = refused.returncode == 1 and "antwortet noch" in refused.stdout
        report.check("db2: promote is refused while db1 answers", still, refused.stdout)
        restarted = second.reboot()
        status = second.sh("sudo server/standby.sh status").stdout
        report.check(f"db2 follows after its restart ({restarted})", "streaming" in status, status)
        first.kill()
        _take_over(ground, second, options)


def _copy_settings(ground: Ground, first: Machine, second: Machine) -> None:
    packed = shlex.join([*first.ssh_words(), "sudo tar -C /etc -cpf - dpolg-tui"])
    unpacked = shlex.join([*second.ssh_words(), "sudo tar -C /etc -xpf -"])
    done = from_place("house", ["bash", "-o", "pipefail", "-c", f"{packed} | {unpacked}"])
    ground.report.check("/etc/dpolg-tui copied to db2", done.returncode == 0, done.stdout)


def _take_over(ground: Ground, second: Machine, options: str) -> None:
    report = ground.report
    promoted = second.sh("sudo server/standby.sh promote")
    report.check("db1 is dead: promote ends well", promoted.returncode == 0, promoted.stdout)
    timers = second.sh(f"sudo server/setup.sh {options} --peer {NAME}")
    report.check("db2: setup.sh ends well", timers.returncode == 0, timers.stdout)
    both = ground.configuration.with_name("both.toml")
    password = str(ground.folder / "admin-password")
    doctor = ground.desk(
        "house", "doctor", "--login", "admin", "--admin-password-file", password, configuration=both
    )
    signed_in = doctor.returncode == 0 and "Verbindungen booking_user" in doctor.stdout
    report.check("a desk signs in at db2", signed_in, doctor.stdout)
    report.keep("doctor after the promotion", doctor.stdout)
    waiting = second.answer("systemctl list-timers --no-pager 'dpolg-*'")
    report.check("db2: the timers wait", waiting.count("dpolg-") >= 8, waiting)
    backup = second.sudo("systemctl", "start", "dpolg-backup.service")
    report.check("db2: a backup is made", backup.returncode == 0, backup.stdout)
