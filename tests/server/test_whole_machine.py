"""setup.sh as on a real server, in a private copy of this machine: accounts, /etc, cron and both firewalls.

The firewalls are stand-ins that write down what they are told: what the real ones do is their makers' affair.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.house_server import PROGRAM, ROOT, SETUP, require_debian_postgresql

pytestmark = pytest.mark.long

WRAPPER = Path(__file__).with_name("whole_machine.sh")
UFW = r"""#!/bin/sh
words="$*"
case "$1 $2" in
    "show added") sed 's/^/ufw /' /ufw.rules 2>/dev/null ;;
    "status ") if [ -e /ufw.on ]; then echo "Status: active"; else echo "Status: inactive"; fi ;;
    "--force enable") touch /ufw.on ;;
    *)
        rule=${words#delete }
        touch /ufw.rules
        grep -vxF -e "${rule%% comment *}" /ufw.rules | grep -vF -e "${rule%% comment *} comment '" >/ufw.new
        mv /ufw.new /ufw.rules
        case "$words" in
            delete*) ;;
            *" comment "*) echo "${rule%% comment *} comment '${rule##* comment }'" >>/ufw.rules ;;
            *) echo "$rule" >>/ufw.rules ;;
        esac
        ;;
esac
"""
# Rules are kept as iptables -S prints them.
IPTABLES = r"""#!/bin/sh
touch /iptables.rules
what=$1
shift
rule=$(echo "-A $*" | sed -e 's# -s 0.0.0.0/0##' -e 's# -p tcp --dport# -p tcp -m tcp --dport#')
case "$what" in
    -S) grep -e "^-A $1 " /iptables.rules ;;
    -C) grep -qxF -e "$rule" /iptables.rules ;;
    -I) echo "$rule" >>/iptables.rules ;;
    -D)
        grep -qxF -e "$rule" /iptables.rules || exit 1
        grep -vxF -e "$rule" /iptables.rules >/iptables.new
        mv /iptables.new /iptables.rules
        ;;
esac
"""
STUBS = f"""
cat >/usr/sbin/ufw <<'STUB'
{UFW}
STUB
cat >/usr/sbin/iptables <<'STUB'
{IPTABLES}
STUB
cat >/usr/sbin/netfilter-persistent <<'STUB'
#!/bin/sh
echo "-A INPUT -j REJECT" | cat - /iptables.rules >/etc/iptables/rules.v4
STUB
chmod 755 /usr/sbin/ufw /usr/sbin/iptables /usr/sbin/netfilter-persistent
export SSH_CONNECTION="192.0.2.7 5000 192.0.2.1 2222"
"""
# The step alone, as setup.sh and standby.sh do it.
FIREWALLS = f"""
set -eu
{STUBS}
open_for() {{
    comment=$1
    shift
    COMMENT=$comment bash -Eeuo pipefail -c '. "$0/steps.sh"; . "$0/firewall.sh"
        trap "echo ERR at a step >&2" ERR
        RULE_COMMENT=$COMMENT ROOT="" FIREWALL=yes PORT=5432 FROM=("$@")
        configure_firewall; summary' {SETUP.parent}/lib "$@"
}}
cycle() {{
    rm -f /ufw.rules /iptables.rules
    printf 'allow 5432/tcp comment '"'office'"'\\nallow 25432/tcp\\n' >/ufw.rules
    echo "-A INPUT -p tcp -m tcp --dport 5432 -j ACCEPT" >/iptables.rules
    open_for dpolg
    open_for dpolg-standby 192.0.2.11
    echo "=== $1 everybody"; cat "$2"; echo "=== steps"
    open_for dpolg 192.0.2.7 198.51.100.0/24
    echo "=== $1 two"; cat "$2"; echo "=== steps"
    open_for dpolg 198.51.100.0/24
    echo "=== $1 one"; cat "$2"; echo "=== steps"
    echo "=== $1 again"; open_for dpolg 198.51.100.0/24
    echo "=== $1 other"; open_for dpolg
    echo "=== $1 everybody once more"; cat "$2"; echo "=== steps"
}}
cycle ufw /ufw.rules
mkdir -p /etc/iptables; echo "-A INPUT -j REJECT" >/etc/iptables/rules.v4
cycle iptables /iptables.rules
echo ":f2b-dpolg-postgresql - [0:0]" >>/iptables.rules
echo "-A INPUT -p tcp -m multiport --dports 5432 -j f2b-dpolg-postgresql" >>/iptables.rules
echo "-A f2b-dpolg-postgresql -s 203.0.113.9/32 -j REJECT" >>/iptables.rules
open_for dpolg 192.0.2.7
echo "=== kept for the next start"; cat /etc/iptables/rules.v4
"""
# sshd and systemctl refuse while a file says so.
REFUSALS = f"""
set -eu
mkdir -p /run/systemd/system /etc/ssh/sshd_config.d
rm -f /etc/ssh/sshd_config.d/dpolg-desk.conf /etc/fail2ban/*.d/dpolg-postgresql.conf
echo "Include /etc/ssh/sshd_config.d/*.conf" >/etc/ssh/sshd_config
for name in sshd systemctl fail2ban-client; do
    printf '#!/bin/sh\\necho "$0 $*" >>/told; ! test -e /refuse-%s\\n' $name >/usr/sbin/$name
    ln -sf /usr/sbin/$name /usr/bin/$name
    chmod 755 /usr/sbin/$name
done
echo '[database]' >/config.toml
desk() {{ {SETUP.parent}/ssh-desk.sh setup --config /config.toml --program /bin/true "$@"; }}
fail2ban() {{
    bash -Eeuo pipefail -c '. "$0/steps.sh"; . "$0/firewall.sh"
        ROOT="" VERSION=15 CLUSTER=main PORT=$1; configure_fail2ban; summary' {SETUP.parent}/lib "$1"
}}
try() {{
    echo "=== $1"; shift
    : >/told
    "$@" 2>&1 || echo "failed with $?"
    cat /told
    (
        cd /etc
        ls ssh/sshd_config.d/dpolg-desk.conf fail2ban/*.d/dpolg-postgresql.conf || true
        grep -h -e '^Match' -e '^port' ssh/sshd_config.d/dpolg-desk.conf fail2ban/jail.d/dpolg-postgresql.conf
    ) 2>/dev/null || true
}}
touch /refuse-sshd; try "sshd refuses" desk; rm /refuse-sshd
touch /refuse-systemctl; try "reload fails" desk; rm /refuse-systemctl
try "sshd takes it" desk
touch /refuse-sshd; try "sshd refuses a change" desk --group otherdesk; rm /refuse-sshd
try "sshd takes the change" desk --group otherdesk
touch /refuse-fail2ban-client; try "fail2ban tests" fail2ban 5432; rm /refuse-fail2ban-client
touch /refuse-systemctl; try "fail2ban refuses" fail2ban 5432; rm /refuse-systemctl
try "fail2ban takes it" fail2ban 5432
touch /refuse-systemctl; try "fail2ban refuses a change" fail2ban 5433; rm /refuse-systemctl
try "fail2ban takes the change" fail2ban 5433
cat >/usr/sbin/systemctl <<'STUB'
#!/bin/sh
echo "$0 $*" >>/told
case "$*" in
    *is-enabled*) test -e /enabled ;;
    "enable --now fail2ban") touch /enabled ;;
esac
STUB
try "fail2ban is not enabled" fail2ban 5433
try "fail2ban is enabled" fail2ban 5433
cat >/usr/sbin/fail2ban-client <<'STUB'
#!/bin/sh
if [ "$1" = -d ]; then echo "['set', 'dpolg-postgresql', 'addaction', 'nftables']"; fi
STUB
rm -f /usr/sbin/nft /usr/bin/nft
try "nft is missing" fail2ban 5433
printf '#!/bin/sh\\n' >/usr/sbin/nft; chmod 755 /usr/sbin/nft
try "nft is there" fail2ban 5433
"""
SCRIPT = f"""
set -eu
rm -rf /etc/postgresql/*/* /var/lib/postgresql/*/*
{STUBS}
setup() {{
    echo "=== $1"
    shift
    {SETUP} --name localhost --from 192.0.2.7 --from 198.51.100.0/24 --program {PROGRAM} --no-packages "$@"
}}
setup first
setup second
echo "=== rules"; cat /ufw.rules
mkdir -p /etc/iptables; echo "-A INPUT -j REJECT" >/etc/iptables/rules.v4
setup oracle
setup oracle-again
echo "=== iptables"; cat /iptables.rules
echo "=== places"; stat -c '%n %a %U:%G' /backups /etc/dpolg-tui/secrets /etc/dpolg-tui/server.toml
chgrp nogroup /etc/dpolg-tui/server.toml
setup copied --standby
echo "=== copied file"; stat -c '%a %U:%G' /etc/dpolg-tui/server.toml
echo "=== accounts"; getent passwd dpolg; grep -c ' dpolg PGUSER=' /etc/cron.d/dpolg-tui
ask() {{
    runuser -u "$1" -- psql -X -h /run/postgresql -U "$2" -d dpolg_booking -Atc 'SELECT user' 2>&1 || true
}}
cd /
for who in "dpolg dpolg_owner" "dpolg dpolg_backup" "dpolg postgres" "nobody dpolg_owner"; do
    echo "=== as $who"; ask $who
done
pg_ctlcluster "$(ls /etc/postgresql)" main stop
"""


def test_setup_makes_a_whole_machine(tmp_path: Path) -> None:
    require_debian_postgresql()
    parts = _in_private_copy(tmp_path, SCRIPT)
    assert "pg_createcluster" in parts["first"]
    for again in ("second", "oracle-again"):
        assert "Alles war schon so: nichts geändert." in parts[again]
    rules = parts["rules"].split("\n")
    assert "allow 2222/tcp" in rules
    assert "allow from 192.0.2.7 to any port 5432 proto tcp comment 'dpolg'" in rules
    assert "allow from 198.51.100.0/24 to any port 5432 proto tcp comment 'dpolg'" in rules
    assert len(parts["iptables"].splitlines()) == 2
    assert "/backups 700 dpolg:dpolg" in parts["places"]
    assert "/etc/dpolg-tui/secrets 700 root:root" in parts["places"]
    # A copy_command in it may hold a token.
    assert "/etc/dpolg-tui/server.toml 640 root:dpolg" in parts["places"]
    # On a second machine the number of the group is another group's.
    assert parts["copied file"].strip() == "640 root:dpolg"
    assert "/usr/sbin/nologin" in parts["accounts"]
    assert parts["accounts"].splitlines()[-1] == "4"
    assert parts["as dpolg dpolg_owner"].strip() == "dpolg_owner"
    assert parts["as dpolg dpolg_backup"].strip() == "dpolg_backup"
    for stranger in ("as dpolg postgres", "as nobody dpolg_owner"):
        assert "Peer authentication failed" in parts[stranger]


def test_later_run_takes_its_own_firewall_rules_away(tmp_path: Path) -> None:
    parts = _in_private_copy(tmp_path, FIREWALLS)
    kept = ["allow 25432/tcp", "allow 2222/tcp", "allow 22/tcp"]
    standby = "allow from 192.0.2.11 to any port 5432 proto tcp comment 'dpolg-standby'"
    network = "allow from 198.51.100.0/24 to any port 5432 proto tcp comment 'dpolg'"
    house = network.replace("198.51.100.0/24", "192.0.2.7")
    everybody = "allow 5432/tcp comment 'dpolg'"
    for state, rules in {
        "everybody": [everybody], "two": [house, network], "one": [network],
        "everybody once more": [everybody],
    }.items():  # fmt: skip
        assert sorted(parts[f"ufw {state}"].split("\n")[:-1]) == sorted([*kept, standby, *rules])
    other = "-A INPUT -p tcp -m tcp --dport 5432 -j ACCEPT"
    ours = "-A INPUT{} -p tcp -m tcp --dport 5432 -m comment --comment {} -j ACCEPT"
    standby = ours.format(" -s 192.0.2.11/32", "dpolg-standby")
    for state, sources in {
        "everybody": [""], "two": [" -s 192.0.2.7/32", " -s 198.51.100.0/24"], "one": [" -s 198.51.100.0/24"],
        "everybody once more": [""],
    }.items():  # fmt: skip
        rules = [ours.format(source, "dpolg") for source in sources]
        assert sorted(parts[f"iptables {state}"].splitlines()) == sorted([other, standby, *rules])
    kept = parts["kept for the next start"].splitlines()
    assert ours.format(" -s 192.0.2.7/32", "dpolg") in kept
    assert [rule for rule in kept if "f2b" in rule] == []
    for again in ("ufw again", "iptables again"):
        assert "Alles war schon so: nichts geändert." in parts[again]


def test_refused_settings_are_taken_back_and_tried_again(tmp_path: Path) -> None:
    parts = _in_private_copy(tmp_path, REFUSALS)
    rules, jail = "ssh/sshd_config.d/dpolg-desk.conf", "fail2ban/jail.d/dpolg-postgresql.conf"
    for refused in ("sshd refuses", "reload fails"):
        assert "failed with 1" in parts[refused]
        assert rules not in parts[refused].splitlines()
    for taken, group in (("sshd takes it", "dpolg-desk"), ("sshd takes the change", "otherdesk")):
        assert "systemctl reload ssh" in parts[taken]
        assert {rules, f"Match Group {group}"} <= set(parts[taken].splitlines())
    assert "failed with 1" in parts["sshd refuses a change"]
    assert "Match Group dpolg-desk" in parts["sshd refuses a change"].splitlines()
    assert "failed with 1" in parts["fail2ban tests"]
    assert "systemctl" not in parts["fail2ban tests"]
    assert jail not in parts["fail2ban tests"].splitlines()
    assert "failed with 1" in parts["fail2ban refuses"]
    assert jail not in parts["fail2ban refuses"].splitlines()
    assert "failed with 1" in parts["fail2ban refuses a change"]
    assert "port = 5432" in parts["fail2ban refuses a change"].splitlines()
    for taken, port in (("fail2ban takes it", 5432), ("fail2ban takes the change", 5433)):
        assert "systemctl restart fail2ban" in parts[taken]
        assert {jail, f"port = {port}"} <= set(parts[taken].splitlines())
    # Ubuntu 22.04 installs it, and does not start it with the machine.
    assert "systemctl enable --now fail2ban" in parts["fail2ban is not enabled"]
    assert "nichts geändert" in parts["fail2ban is enabled"]
    assert "sperrt niemanden" in parts["nft is missing"]
    assert "sperrt niemanden" not in parts["nft is there"]


def _in_private_copy(folder: Path, content: str) -> dict[str, str]:
    """Runs a script in a private copy of this machine; what it said after each "=== TITLE"."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a private copy of this machine")
    place, script = folder / "machine", folder / "script.sh"
    place.mkdir()
    script.write_text(content)
    if shutil.which("unshare") is None or not _overlay_works(place):
        pytest.skip("this system mounts no private overlay of / (unshare, overlayfs)")
    shown = {ROOT, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    done = subprocess.run(
        ["unshare", "-mpnf", WRAPPER, place, script, *shown],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERR at" not in done.stderr
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in done.stdout.split("=== ")[1:]}


def _overlay_works(place: Path) -> bool:
    script = place.parent / "try.sh"
    script.write_text("true\n")
    command = ["unshare", "-mpnf", WRAPPER, place, script]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
