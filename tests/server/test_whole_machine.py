"""setup.sh as on a real server, in a private copy of this machine: accounts, /etc, cron and both firewalls.

The firewalls are stand-ins that write down what they are told: what the real ones do is their makers' affair.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.house_server import PROGRAM, ROOT, SETUP, require_debian_postgresql

pytestmark = pytest.mark.long

WRAPPER = Path(__file__).with_name("whole_machine.sh")
UFW = r"""#!/bin/sh
case "$1 $2" in
    "show added") sed 's/^/ufw /' /ufw.rules 2>/dev/null ;;
    "status ") if [ -e /ufw.on ]; then echo "Status: active"; else echo "Status: inactive"; fi ;;
    "--force enable") touch /ufw.on ;;
    *) echo "$*" >>/ufw.rules ;;
esac
"""
IPTABLES = r"""#!/bin/sh
case "$1" in
    -C) shift; grep -qxF -- "$*" /iptables.rules 2>/dev/null ;;
    -I) shift; echo "$*" >>/iptables.rules ;;
esac
"""
SCRIPT = f"""
set -eu
rm -rf /etc/postgresql/*/* /var/lib/postgresql/*/*
cat >/usr/sbin/ufw <<'STUB'
{UFW}
STUB
cat >/usr/sbin/iptables <<'STUB'
{IPTABLES}
STUB
printf '#!/bin/sh\\n' >/usr/sbin/netfilter-persistent
chmod 755 /usr/sbin/ufw /usr/sbin/iptables /usr/sbin/netfilter-persistent
export SSH_CONNECTION="192.0.2.7 5000 192.0.2.1 2222"
setup() {{
    echo "=== $1"
    {SETUP} --name localhost --from 192.0.2.7 --from 198.51.100.0/24 --program {PROGRAM} --no-packages
}}
setup first
setup second
echo "=== rules"; cat /ufw.rules
mkdir -p /etc/iptables; echo "-A INPUT -j REJECT" >/etc/iptables/rules.v4
setup oracle
setup oracle-again
echo "=== iptables"; cat /iptables.rules
echo "=== places"; stat -c '%n %a %U:%G' /backups /var/lib/dpolg-tui /etc/dpolg-tui/secrets
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
    place, script = tmp_path / "machine", tmp_path / "script.sh"
    place.mkdir()
    script.write_text(SCRIPT)
    if shutil.which("unshare") is None or not _overlay_works(place):
        pytest.skip("this system mounts no private overlay of / (unshare, overlayfs)")
    shown = {ROOT, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    done = subprocess.run(
        ["unshare", "-mpnf", WRAPPER, place, script, *shown],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    parts = {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in done.stdout.split("=== ")[1:]}
    assert "pg_createcluster" in parts["first"]
    for again in ("second", "oracle-again"):
        assert "Alles war schon so: nichts geändert." in parts[again]
    rules = parts["rules"].split("\n")
    assert "allow 2222/tcp" in rules
    assert "allow from 192.0.2.7 to any port 5432 proto tcp" in rules
    assert "allow from 198.51.100.0/24 to any port 5432 proto tcp" in rules
    assert len(parts["iptables"].splitlines()) == 2
    assert "/backups 700 dpolg:dpolg" in parts["places"]
    assert "/etc/dpolg-tui/secrets 700 root:root" in parts["places"]
    assert "/usr/sbin/nologin" in parts["accounts"]
    assert parts["accounts"].splitlines()[-1] == "3"
    assert parts["as dpolg dpolg_owner"].strip() == "dpolg_owner"
    assert parts["as dpolg dpolg_backup"].strip() == "dpolg_backup"
    for stranger in ("as dpolg postgres", "as nobody dpolg_owner"):
        assert "Peer authentication failed" in parts[stranger]


def _overlay_works(place: Path) -> bool:
    script = place.parent / "try.sh"
    script.write_text("true\n")
    command = ["unshare", "-mpnf", WRAPPER, place, script]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
