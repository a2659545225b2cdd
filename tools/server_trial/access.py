"""Desks from outside: who gets in, who is refused with which sentence, who is shut out."""

from __future__ import annotations

import re
import shlex
import subprocess
import time

from tools.server_trial import network
from tools.server_trial.ground import NAME, OTHER_NAME, Ground
from tools.server_trial.machine import from_place

_ATTEMPTS = 15
_PATIENCE = 30.0


def desks(ground: Ground) -> None:
    """a desk from outside with the two files of /etc/dpolg-tui/desk"""
    machine, report = ground.machine, ground.report
    packed = shlex.join([*machine.ssh_words(), "sudo tar -C /etc/dpolg-tui -cf - desk"])
    fetched = from_place("house", ["bash", "-c", f"{packed} | tar -C {ground.folder} -xf -"])
    report.check("its two files are fetched", ground.configuration.exists(), fetched.stdout)
    password = ground.folder / "admin-password"
    password.write_text(machine.answer("sudo cat /etc/dpolg-tui/secrets/admin") + "\n")
    password.chmod(0o600)
    test = ground.desk("house", "config", "test")
    report.check("config test: certificate checked, connected",
                 test.returncode == 0 and "Zertifikat geprüft" in test.stdout, test.stdout)  # fmt: skip
    doctor = ground.desk("house", "doctor", "--login", "admin", "--admin-password-file", str(password))
    report.check("doctor, signed in as admin", doctor.returncode == 0, doctor.stdout)
    report.keep("doctor from a desk", doctor.stdout)
    _refusals(ground)


def _refusals(ground: Ground) -> None:
    folder = ground.configuration.parent
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=other",
         "-keyout", folder / "other.key", "-out", folder / "other.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    plain = ground.changed_configuration("plain", ssl_mode='"disable"')
    text = plain.read_text().replace('ca_file = "ca.crt"\n', "")
    plain.write_text(text)
    own = ground.desk("house", "config", "test", configuration=plain)
    ground.report.check(f"ssl_mode = disable alone: {_sentence(own.stdout)}", own.returncode == 2, own.stdout)
    plain.write_text(text + "allow_unverified_server = true\n")
    authority = ground.changed_configuration("authority", ca_file='"other.crt"')
    name = ground.changed_configuration("name", host=f'"{OTHER_NAME}"')
    tries = (
        ("plain TCP", plain, "Ohne Verschlüsselung lässt der Server diese Rolle nicht zu"),
        ("another authority", authority, f"Das Zertifikat von {NAME}"),
        ("another name", name, f"Das Zertifikat von {OTHER_NAME}"),
    )
    for what, configuration, said in tries:
        done = ground.desk("house", "config", "test", configuration=configuration)
        ground.report.check(f"{what} is refused: {_sentence(done.stdout)}",
                            done.returncode != 0 and said in done.stdout, done.stdout)  # fmt: skip
    stranger = ground.desk("stranger", "config", "test")
    shut_out = stranger.returncode != 0 and "Firewall" in stranger.stdout
    ground.report.check(
        f"an address that is not --from: {_sentence(stranger.stdout)}", shut_out, stranger.stdout
    )


def _sentence(text: str) -> str:
    """What a person would read: the step that failed, or the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("✗")), lines[-1] if lines else "(nothing)")


def passwords(ground: Ground) -> None:
    """fail2ban: wrong passwords of the database shut out, those of users do not"""
    machine, report = ground.machine, ground.report
    wrong = ground.folder / "wrong-password"
    wrong.write_text("ganz-falsch-1234\n")
    wrong.chmod(0o600)
    for _ in range(_ATTEMPTS):
        said = ground.desk(
            "other", "doctor", "--login", "niemand", "--admin-password-file", str(wrong)
        ).stdout
    report.keep("doctor with a wrong user", said)
    time.sleep(3)
    test = ground.desk("other", "config", "test")
    report.check(f"{_ATTEMPTS} wrong passwords of a user: still served", test.returncode == 0, test.stdout)
    attempts = 0
    end = time.monotonic() + _PATIENCE
    while attempts < _ATTEMPTS and "Connection refused" not in said and not _banned(ground):
        said = ground.desk("other", "config", "test", DPOLG_TUI_DATABASE_PASSWORD="falsch").stdout
        attempts += 1
        if attempts == _ATTEMPTS:
            while not _banned(ground) and time.monotonic() < end:
                time.sleep(1)
    status = machine.sudo("fail2ban-client", "status", "dpolg-postgresql").stdout
    report.check(
        f"wrong passwords of the database ({attempts} × config test): banned", _banned(ground), status
    )
    report.keep("fail2ban's log", machine.sudo("tail", "-n", "40", "/var/log/fail2ban.log").stdout)
    shut = ground.desk("other", "config", "test")
    report.check(f"that address is shut out: {_sentence(shut.stdout)}", shut.returncode != 0, shut.stdout)
    others = ground.desk("house", "config", "test")
    report.check("another house is still served", others.returncode == 0, others.stdout)
    machine.sudo("fail2ban-client", "set", "dpolg-postgresql", "unbanip", network.OTHER_HOUSE)
    back = ground.desk("other", "config", "test")
    report.check("let in again by unbanip", back.returncode == 0, back.stdout)


def _banned(ground: Ground) -> bool:
    status = ground.machine.sudo("fail2ban-client", "status", "dpolg-postgresql").stdout
    return bool(re.search(rf"Banned IP list:.*{re.escape(network.OTHER_HOUSE)}", status))


def ssh_desks(ground: Ground) -> None:
    """ssh-desk.sh with the distribution's sshd"""
    machine, report = ground.machine, ground.report
    machine.sudo("apt-get", "-q", "-y", "install", "tmux")
    made = machine.sh("sudo server/ssh-desk.sh setup")
    report.check("setup ends well", made.returncode == 0, made.stdout)
    key = (ground.machine.key.with_suffix(".pub")).read_text().strip()
    added = machine.sh(f"echo '{key}' >anna.pub && sudo server/ssh-desk.sh add anna --key anna.pub")
    report.check("add ends well", added.returncode == 0, added.stdout)
    again = machine.sh("sudo server/ssh-desk.sh setup")
    report.check("the second setup changes nothing", "nichts geändert" in again.stdout, again.stdout)
    _session(ground, "a session shows the sign-in")
    command = from_place("house", [*machine.ssh_words("anna"), "id"])
    report.check(f"a command is refused: {_sentence(command.stdout)}",
                 command.returncode != 0 and "uid=" not in command.stdout, command.stdout)  # fmt: skip
    tunnel = from_place("house", [*machine.ssh_words("anna", "-W", "127.0.0.1:5432")], limit=20)
    report.check("a tunnel is refused", tunnel.returncode != 0, tunnel.stdout)
    with_tmux = machine.sh("sudo server/ssh-desk.sh setup --tmux")
    report.check("setup --tmux ends well", with_tmux.returncode == 0, with_tmux.stdout)
    _session(ground, "a session in tmux shows the sign-in")
    removed = machine.sh("sudo server/ssh-desk.sh remove anna")
    report.check("remove ends well", removed.returncode == 0, removed.stdout)
    gone = from_place("house", machine.ssh_words("anna"))
    report.check("… and the account gets in no more", "Permission denied" in gone.stdout, gone.stdout)


def _session(ground: Ground, what: str) -> None:
    """A real session in a terminal of its own, until the sign-in is drawn."""
    words = ["timeout", "25", *ground.machine.ssh_words("anna", "-tt")]
    shown = from_place(
        "house", ["script", "-qefc", "stty rows 24 cols 80; " + " ".join(words), "/dev/null"], limit=60
    )
    ground.report.check(what, "enutzername" in shown.stdout, shown.stdout[-1500:].replace("\x1b", "^"))
