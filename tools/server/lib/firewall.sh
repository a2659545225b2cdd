# shellcheck shell=bash
# Who reaches the port at all, and who is shut out for trying passwords.

# Oracle's Ubuntu images bring rules of their own, among them those of the boot volume: ufw must stay away.
ORACLE_RULES=/etc/iptables/rules.v4
oracle_rules() { [[ -r $ORACLE_RULES ]] && grep -q '^-A INPUT -j REJECT' "$ORACLE_RULES"; }

configure_firewall() {
    heading "Firewall"
    if [[ $FIREWALL == no || -n $ROOT ]]; then
        leave "Firewall: Port $PORT (tcp) nur für ${FROM[*]:-die Adressen des Hauses} öffnen"
    elif oracle_rules; then
        open_in_iptables
    elif has ufw; then
        open_in_ufw
    else
        leave "Firewall: ufw fehlt; Port $PORT (tcp) nur für ${FROM[*]:-die Adressen des Hauses} öffnen"
    fi
    if ((${#FROM[@]} == 0)); then
        warn "ohne --from darf jede Adresse Passwörter versuchen; einem Haus mit wechselnder Adresse bleibt nichts anderes"
    fi
}

# sshd's ports and that of this very session, so that nobody shuts himself out.
ssh_ports() {
    local session=${SSH_CONNECTION:-} ports
    ports=$(sshd -T 2>/dev/null | sed -n 's/^port //p') || true
    printf '%s\n' ${ports:-22} "${session##* }" | sed '/^$/d' | sort -un
}

open_in_ufw() {
    local rules source
    rules=$(ufw show added 2>/dev/null || true)
    local port
    for port in $(ssh_ports); do ufw_rule "$rules" allow "$port/tcp"; done
    if ((${#FROM[@]})); then
        for source in "${FROM[@]}"; do
            ufw_rule "$rules" allow from "$source" to any port "$PORT" proto tcp
        done
    else
        ufw_rule "$rules" allow "$PORT/tcp"
    fi
    if [[ $(LC_ALL=C ufw status) != "Status: active"* ]]; then run ufw --force enable; fi
}

# ufw lists "from 192.0.2.7/32" as "from 192.0.2.7".
ufw_rule() {
    local rules=$1 words
    shift
    words="ufw $*"
    if ! grep -qxF -e "$words" -e "${words//\/32 / }" <<<"$rules"; then run ufw "$@"; fi
}

open_in_iptables() {
    local source rule changed=no
    for source in "${FROM[@]:-0.0.0.0/0}"; do
        if [[ $source == *:* ]]; then
            leave "Firewall: $source (IPv6) bitte in ip6tables selbst eintragen"
            continue
        fi
        rule=(INPUT -s "$source" -p tcp --dport "$PORT" -m comment --comment dpolg -j ACCEPT)
        if ! iptables -C "${rule[@]}" 2>/dev/null; then
            run iptables -I "${rule[@]}"
            changed=yes
        fi
    done
    if [[ $changed == yes ]]; then run netfilter-persistent save; fi
}

# Wrong passwords of the *database* only (28P01). A user's wrong password is no such line: the desks of a house share
# one address, and a colleague who mistypes must not shut out the others.
fail2ban_filter() {
    cat <<'CONF'
[Definition]
# log_line_prefix = '%m [%p] %e %h '. A line with a tab goes on with what somebody may have sent.
failregex = ^[^\[\t]*\[\d+\] 28P01 <HOST> FATAL:
ignoreregex =
CONF
}

fail2ban_jail() {
    cat <<CONF
[dpolg-postgresql]
enabled = true
filter = dpolg-postgresql
backend = polling
logpath = /var/log/postgresql/postgresql-$VERSION-$CLUSTER.log
port = $PORT
maxretry = 10
findtime = 10m
bantime = 15m
CONF
    # Without a file to read, the jail for sshd would keep all of fail2ban from starting.
    if [[ ! -e /var/log/auth.log ]]; then printf '\n[sshd]\nbackend = systemd\n'; fi
}

configure_fail2ban() {
    heading "fail2ban"
    if [[ -z $ROOT ]] && ! has fail2ban-client && ! dry; then
        leave "fail2ban ist nicht installiert"
        return
    fi
    local changed=no
    write_file "$ROOT/etc/fail2ban/filter.d/dpolg-postgresql.conf" 644 < <(fail2ban_filter)
    if [[ $WRITTEN == yes ]]; then changed=yes; fi
    write_file "$ROOT/etc/fail2ban/jail.d/dpolg-postgresql.conf" 644 < <(fail2ban_jail)
    if [[ $WRITTEN == yes ]]; then changed=yes; fi
    if [[ $changed == no ]]; then return; fi
    if [[ -n $ROOT ]] || ! has_systemd; then
        leave "fail2ban neu starten (hier läuft kein systemd, oder die Dateien liegen unter --root)"
    else
        run systemctl restart fail2ban
    fi
}
