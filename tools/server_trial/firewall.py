"""The firewall that setup.sh leaves: ufw, or iptables where Oracle's own rules are."""

from __future__ import annotations

import re

from tools.server_trial import network
from tools.server_trial.ground import Ground
from tools.server_trial.machine import Machine

OTHER_PORT = 2222
"""Where sshd listens besides, without its settings knowing."""
# As in Oracle's Ubuntu images, but for the chain of the boot volume, which is a matter of their network.
_ORACLE = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p udp --sport 123 -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 2222 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
"""


def as_on_oracle(machine: Machine) -> None:
    """The rules in force and kept for the next start, before anything of ours."""
    (machine.root / "root/rules.v4").write_text(_ORACLE)
    installed = machine.sh(
        "sudo apt-get -q update"
        " && sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y install iptables-persistent"
        " && sudo cp /root/rules.v4 /etc/iptables/rules.v4 && sudo netfilter-persistent reload"
    )
    if installed.returncode:
        raise RuntimeError(installed.stdout)


def look_at_firewall(ground: Ground) -> None:
    """the firewall"""
    machine, report = ground.machine, ground.report
    houses = (network.HOUSE, network.OTHER_HOUSE)
    if ground.oracle:
        said = machine.sudo("iptables", "-S", "INPUT").stdout
        wanted = [rf"-s {house}/32 -p tcp .*--dport 5432 .*-j ACCEPT" for house in houses]
        refused = re.search("-j REJECT --reject-with icmp-host-prohibited", said)
        stands = bool(refused) and all(
            (rule := re.search(pattern, said)) and refused and rule.start() < refused.start()
            for pattern in wanted
        )
        report.check("our rules stand before Oracle's refusal", stands, said)
        report.check("ufw was not installed", machine.sh("! which ufw").returncode == 0)
        return
    said = machine.sudo("ufw", "status").stdout
    wanted = [*(rf"5432/tcp +ALLOW +{house} " for house in houses), "22/tcp +ALLOW +Any"]
    stands = said.startswith("Status: active") and all(re.search(rule, said) for rule in wanted)
    report.check("ufw is active with our rules", stands, said)
    session = bool(re.search(rf"{OTHER_PORT}/tcp +ALLOW +Any", said))
    report.check("… and keeps the port open that setup.sh was called by", session, said)


def change_while_banned(ground: Ground) -> None:
    """a change of the firewall while an address is shut out, and its end"""
    machine, report = ground.machine, ground.report
    jail = ("fail2ban-client", "set", "dpolg-postgresql")
    machine.sudo(*jail, "banip", network.OTHER_HOUSE)
    for options in (f" --from {network.STRANGER}", ""):
        done = machine.sh(ground.setup + options)
        report.check(f"setup.sh{options} ends well", done.returncode == 0, done.stdout)
    shut = ground.desk("other", "config", "test")
    report.check("still shut out", shut.returncode != 0, shut.stdout)
    kept = machine.sh("sudo cat /etc/iptables/rules.v4 /etc/ufw/user.rules 2>/dev/null").stdout
    report.check("the ban is not kept for the next start", "f2b" not in kept, kept)
    machine.sudo(*jail, "unbanip", network.OTHER_HOUSE)
    back = ground.desk("other", "config", "test")
    report.check("let in again", back.returncode == 0, back.stdout)
