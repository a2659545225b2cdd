# shellcheck shell=bash
# Who reaches the port at all, and who is shut out for trying passwords.

# Oracle's Ubuntu images bring rules of their own, among them those of the boot volume: ufw must stay away.
ORACLE_RULES=/etc/iptables/rules.v4
oracle_rules() { [[ -r $ORACLE_RULES ]] && grep -q '^-A INPUT -j REJECT' "$ORACLE_RULES"; }

# A standby's rule and the desks' are two things: neither script takes away the other's.
RULE_COMMENT=dpolg

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
    local session ports
    session=$(ssh_session)
    ports=$(sshd -T 2>/dev/null | sed -n 's/^port //p') || true
    printf '%s\n' ${ports:-22} "${session##* }" | sed '/^$/d' | sort -un
}

# sudo takes SSH_CONNECTION away; a process that called us still has it.
ssh_session() {
    local pid=$PPID said=${SSH_CONNECTION:-}
    while [[ -z $said && $pid -gt 1 && -r /proc/$pid/environ ]]; do
        said=$(sed -zn 's/^SSH_CONNECTION=//p' "/proc/$pid/environ" 2>/dev/null | tr -d '\0') || true
        pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null) || pid=0
    done
    printf '%s' "$said"
}

# Rules for the port are known by their comment: those with another one, or none, are somebody else's and stay.
open_in_ufw() {
    local rules port source wanted=()
    rules=$(ufw show added 2>/dev/null || true)
    for port in $(ssh_ports); do
        # With whatever comment it has.
        if ! grep -qE "^ufw allow $port/tcp( |$)" <<<"$rules"; then run ufw allow "$port/tcp"; fi
    done
    if ((${#FROM[@]})); then
        # ufw lists "from 192.0.2.7/32" as "from 192.0.2.7".
        for source in "${FROM[@]}"; do wanted+=("allow from ${source%/32} to any port $PORT proto tcp"); done
    else
        wanted=("allow $PORT/tcp")
    fi
    close_in_ufw "$rules" "${wanted[@]}"
    local rule words
    for rule in "${wanted[@]}"; do
        if grep -qxF "ufw $rule comment '$RULE_COMMENT'" <<<"$rules"; then continue; fi
        read -ra words <<<"$rule"
        run ufw "${words[@]}" comment "$RULE_COMMENT"
    done
    if [[ $(LC_ALL=C ufw status) != "Status: active"* ]]; then run ufw --force enable; fi
}

# close_in_ufw RULES WANTED...: takes away ours for this port that are wanted no longer. Before new ones are added: an
# address that ufw writes another way than we do is then taken away and added again, not lost.
close_in_ufw() {
    local rules=$1 rule words
    shift
    while read -r rule; do
        rule=${rule#ufw } rule=${rule%" comment '$RULE_COMMENT'"}
        if printf '%s\n' "$@" | grep -qxF -e "$rule"; then continue; fi
        read -ra words <<<"$rule"
        run ufw delete "${words[@]}"
    done < <(grep -E "^ufw allow (.* port $PORT |$PORT/tcp ).*comment '$RULE_COMMENT'$" <<<"$rules" || true)
    # Before rules had a comment, and by hand.
    while read -r rule; do
        if ! printf 'ufw %s\n' "$@" | grep -qxF -e "$rule"; then
            leave "Firewall: die Regel „$rule“ ist nicht von hier; wenn sie weg soll: ufw delete ${rule#ufw }"
        fi
    done < <(grep -E "^ufw allow (.* port $PORT( .*)?|$PORT(/tcp)?)$" <<<"$rules" | grep -vF " comment '" || true)
}

open_in_iptables() {
    local source rule changed=no wanted=()
    for source in "${FROM[@]:-0.0.0.0/0}"; do
        if [[ $source == *:* ]]; then
            leave "Firewall: $source (IPv6) bitte in ip6tables selbst eintragen"
            continue
        fi
        if [[ $source != */* ]]; then source+=/32; fi
        wanted+=("$source")
    done
    close_in_iptables ${wanted[@]+"${wanted[@]}"}
    for source in ${wanted[@]+"${wanted[@]}"}; do
        rule=(INPUT -s "$source" -p tcp --dport "$PORT" -m comment --comment "$RULE_COMMENT" -j ACCEPT)
        if ! iptables -C "${rule[@]}" 2>/dev/null; then
            run iptables -I "${rule[@]}"
            changed=yes
        fi
    done
    if [[ $changed == yes ]]; then
        run netfilter-persistent save
        # fail2ban's chains of this moment: after the next start it could not make its own, and bans would last for ever.
        local file
        for file in "${ORACLE_RULES%4}"[46]; do run sed -i '/f2b-/d' "$file"; done
    fi
}

# close_in_iptables ADDRESS/MASK...: takes away ours for this port from elsewhere; sets the caller's "changed".
close_in_iptables() {
    local rules rule words source
    rules=$(iptables -S INPUT | grep -F -e "--dport $PORT " | grep -E -e "--comment \"?$RULE_COMMENT\"? " || true)
    while read -r rule; do
        if [[ -z $rule ]]; then continue; fi
        source=$(sed -n 's/.* -s \([^ ]*\) .*/\1/p' <<<"$rule")
        if printf '%s\n' "$@" | grep -qxF -e "${source:-0.0.0.0/0}"; then continue; fi
        read -ra words <<<"${rule//\"/}"
        run iptables -D "${words[@]:1}"
        # shellcheck disable=SC2034
        changed=yes
    done <<<"$rules"
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
    local changed=no filter=$ROOT/etc/fail2ban/filter.d/dpolg-postgresql.conf jail=$ROOT/etc/fail2ban/jail.d/dpolg-postgresql.conf
    remember "$filter" "$jail"
    write_file "$filter" 644 < <(fail2ban_filter)
    if [[ $WRITTEN == yes ]]; then changed=yes; fi
    write_file "$jail" 644 < <(fail2ban_jail)
    if [[ $WRITTEN == yes ]]; then changed=yes; fi
    if [[ $changed == no ]]; then
        keep_fail2ban_running
        return
    fi
    if [[ -z $ROOT ]] && ! dry && ! fail2ban-client -t; then
        take_back "$filter" "$jail"
        fail "fail2ban nimmt seine Einstellungen nicht an, unsere sind zurückgenommen: bitte /etc/fail2ban prüfen, dann noch einmal aufrufen"
    fi
    if [[ -n $ROOT ]] || ! has_systemd; then
        leave "fail2ban neu starten (hier läuft kein systemd, oder die Dateien liegen unter --root)"
    elif ! run systemctl restart fail2ban; then
        take_back "$filter" "$jail"
        systemctl restart fail2ban || warn "fail2ban startet auch ohne unsere Dateien nicht: systemctl status fail2ban"
        fail "fail2ban ist mit unseren Dateien nicht gestartet, sie sind zurückgenommen: bitte /etc/fail2ban prüfen, dann noch einmal aufrufen"
    fi
    keep_fail2ban_running
}

# Ubuntu 22.04 installs it and does not start it with the machine. And a jail whose program is missing counts, shuts
# nobody out, and nobody is told.
keep_fail2ban_running() {
    if [[ -n $ROOT ]] || dry; then return; fi
    if has_systemd && ! { systemctl --quiet is-enabled fail2ban && systemctl --quiet is-active fail2ban; }; then
        run systemctl enable --now fail2ban
    fi
    if has nft; then return; fi
    if grep -qE "'dpolg-postgresql', 'addaction', 'nftables" < <(fail2ban-client -d 2>/dev/null); then
        leave "fail2ban sperrt niemanden: es braucht dazu das Programm nft (apt-get install nftables)"
    fi
}
