# shellcheck shell=bash
# Backup every night, its verification every week, housekeeping and the health check every day: systemd, else cron.

HOME_DIR=/var/lib/dpolg-tui
ZONE=Europe/Berlin

# NAME|OnCalendar|cron|role|verb|what it is
# cron has the server's own zone; rented machines have UTC.
jobs() {
    cat <<JOBS
backup|*-*-* 03:00:00 $ZONE|0 3 * * *|dpolg_backup|backup|nightly backup
verification|Sun *-*-* 04:00:00 $ZONE|0 4 * * 0|dpolg_backup|backup verify|weekly trial of the newest backup
housekeeping|*-*-* 04:30:00 $ZONE|30 4 * * *|dpolg_owner|housekeeping|what had its time
doctor|*-*-* 07:00:00 $ZONE|0 7 * * *|dpolg_owner|doctor --quiet|daily health check
JOBS
}

make_account() {
    heading "Konto dpolg (Sicherung und Aufräumen, ohne Anmeldung)"
    if [[ -n $ROOT ]]; then
        leave "Konto dpolg und $BACKUPS (wegen --root)"
        return
    fi
    if ! getent passwd dpolg >/dev/null; then
        run useradd --system --user-group --home-dir $HOME_DIR --create-home --shell /usr/sbin/nologin dpolg
    fi
    make_directory $HOME_DIR 700 dpolg:dpolg
    make_directory "$BACKUPS" 700 dpolg:dpolg
    # Copied from another machine it has the number of another group.
    if [[ -f $ETC/server.toml ]] && ! dry; then set_right "$ETC/server.toml" 640 root:dpolg; fi
}

configure_timers() {
    heading "Zeitpläne"
    if [[ -n $ROOT ]] || has_systemd; then
        write_units
    fi
    if has_systemd && [[ -z $ROOT ]]; then
        if [[ -e /etc/cron.d/dpolg-tui ]]; then run rm -f /etc/cron.d/dpolg-tui; fi
        enable_units
    else
        write_cron
    fi
}

write_units() {
    local name calendar role verb what
    UNITS_WRITTEN=no
    while IFS='|' read -r name calendar _ role verb what; do
        write_file "$ROOT/etc/systemd/system/dpolg-$name.service" 644 < <(service_unit "$what" "$role" "$verb")
        if [[ $WRITTEN == yes ]]; then UNITS_WRITTEN=yes; fi
        write_file "$ROOT/etc/systemd/system/dpolg-$name.timer" 644 < <(timer_unit "$what" "$calendar")
        if [[ $WRITTEN == yes ]]; then UNITS_WRITTEN=yes; fi
    done < <(jobs)
}

# TMPDIR: the trial restores the whole database, and Debian 13 has /tmp in memory.
service_unit() {
    cat <<CONF
[Unit]
Description=DPolG Buchungssystem: $1
Wants=postgresql.service
After=postgresql.service

[Service]
Type=oneshot
User=dpolg
Environment=LANG=C.UTF-8 PGUSER=$2 TMPDIR=/var/tmp
ExecStart=$PROGRAM --config $ETC/server.toml $3
UMask=0077
Nice=10
IOSchedulingClass=idle
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ReadWritePaths=$HOME_DIR -$BACKUPS
CONF
}

# Persistent: a machine that was off at three does it when it is on again.
timer_unit() {
    cat <<CONF
[Unit]
Description=DPolG Buchungssystem: $1

[Timer]
OnCalendar=$2
Persistent=true

[Install]
WantedBy=timers.target
CONF
}

enable_units() {
    local name
    if [[ $UNITS_WRITTEN == yes ]]; then run systemctl daemon-reload; fi
    while IFS='|' read -r name _; do
        if ! systemctl --quiet is-enabled "dpolg-$name.timer" 2>/dev/null ||
            ! systemctl --quiet is-active "dpolg-$name.timer"; then
            run systemctl enable --now "dpolg-$name.timer"
        fi
    done < <(jobs)
}

write_cron() {
    local when role verb
    write_file "$ROOT/etc/cron.d/dpolg-tui" 644 < <(
        printf '# Written by tools/server/setup.sh, which overwrites it.\nSHELL=/bin/sh\nLANG=C.UTF-8\nTMPDIR=/var/tmp\n'
        while IFS='|' read -r _ _ when role verb _; do
            printf '%s dpolg PGUSER=%s %s --config %s %s\n' "$when" "$role" "$PROGRAM" "$ETC/server.toml" "$verb"
        done < <(jobs)
    )
    if ! has_systemd; then
        leave "systemd läuft hier nicht: die Zeitpläne stehen in $ROOT/etc/cron.d/dpolg-tui und brauchen einen cron-Dienst"
    fi
}
