#!/usr/bin/env bash
# Desks over SSH: Unix accounts that get the desk and nothing else. ssh-desk.md says how staff connect.
set -Eeuo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trap 'printf "Fehler: Schritt gescheitert (%s, Zeile %d)\n" "${BASH_SOURCE[0]##*/}" "$LINENO" >&2' ERR
# shellcheck source=lib/steps.sh
. "$here/lib/steps.sh"

GROUP=dpolg-desk ROOT='' CONFIG='' PROGRAM='' TMUX_DESK=no KEY='' COMMAND='' ACCOUNT=''

usage() {
    cat <<'TEXT'
Aufruf: sudo tools/server/ssh-desk.sh setup [--config DATEI] [--program PFAD] [--tmux]
        sudo tools/server/ssh-desk.sh add KONTO [--key DATEI]
        sudo tools/server/ssh-desk.sh remove KONTO
        sudo tools/server/ssh-desk.sh list

Arbeitsplätze über SSH: Konten einer Gruppe, die nach der Anmeldung den Arbeitsplatz sehen und sonst nichts.

  setup   Gruppe, Konfiguration (nur für die Gruppe lesbar), Startprogramm und Regeln für sshd
  add     Konto anlegen; --key: sein öffentlicher Schlüssel (ohne: danach mit passwd KONTO ein Passwort setzen)
  remove  Konto samt seinen Dateien entfernen
  list    die Konten

  --config DATEI    config.toml des Arbeitsplatzes (Vorgabe: /etc/dpolg-tui/desk/config.toml, von setup.sh)
  --program PFAD    dpolg-tui (Vorgabe: das im PATH)
  --tmux            jeder Arbeitsplatz in tmux: nach einem Abriss geht es weiter, wo man war
  --group NAME      Gruppe (Vorgabe: dpolg-desk)
  --root ORDNER     Dateien unter ORDNER schreiben, sshd in Ruhe lassen
  --dry-run         zeigen, was getan würde
TEXT
}

parse() {
    while (($#)); do
        case $1 in
            setup | list) COMMAND=$1 ;;
            add | remove)
                COMMAND=$1 ACCOUNT=${2:-}
                [[ $ACCOUNT =~ ^[a-z][a-z0-9_-]{0,30}$ ]] ||
                    usage_error "$1 braucht einen Kontonamen aus Kleinbuchstaben, Ziffern, _ und -"
                shift
                ;;
            --tmux) TMUX_DESK=yes ;;
            --dry-run) DRY_RUN=yes ;;
            -h | --help)
                usage
                exit 0
                ;;
            --config | --program | --key | --group | --root)
                (($# > 1)) || usage_error "$1 braucht einen Wert"
                option "$1" "$2"
                shift
                ;;
            *) usage_error "„$1“ ist unbekannt" ;;
        esac
        shift
    done
    [[ -n $COMMAND ]] || usage_error "es fehlt der Befehl: setup, add, remove oder list"
    [[ $GROUP =~ ^[a-z][a-z0-9_-]{0,30}$ ]] || usage_error "--group „$GROUP“ ist kein Gruppenname"
    if ((EUID != 0)) && ! dry; then usage_error "nur root kann das: bitte mit sudo aufrufen"; fi
}

option() {
    case $1 in
        --config) CONFIG=$2 ;;
        --program) PROGRAM=$2 ;;
        --key) KEY=$2 ;;
        --group) GROUP=$2 ;;
        --root) ROOT=${2%/} ;;
    esac
}

# What an account runs, whatever it asked for. It is its login shell, too.
start_script() {
    cat <<CONF
#!/bin/sh
# Written by tools/server/ssh-desk.sh. The desk and nothing else: no command, no file transfer.
umask 077
if [ -n "\$SSH_ORIGINAL_COMMAND" ]; then
    echo "Dieses Konto öffnet nur das Buchungssystem." >&2
    exit 1
fi
if ! [ -t 0 ] || ! [ -t 1 ]; then
    echo "Das Buchungssystem braucht ein Terminal: bitte mit ssh -t verbinden." >&2
    exit 1
fi
case "\${LC_ALL:-\${LC_CTYPE:-\$LANG}}" in
    *UTF-8 | *utf8 | *UTF8) ;;
    *) export LC_ALL=C.UTF-8 ;;
esac
export DPOLG_TUI_CONFIG=$ROOT/etc/dpolg-tui/config.toml
export DPOLG_TUI_DESK_NAME="SSH \$(id -un)"
$(start_line)
CONF
}

start_line() {
    if [[ $TMUX_DESK == yes ]]; then
        printf 'exec tmux -L desk -f %s new-session -A -D -s desk %s --config %s' \
            "$ROOT/etc/dpolg-tui/tmux.conf" "$PROGRAM" "$ROOT/etc/dpolg-tui/config.toml"
    else
        printf 'exec %s' "$PROGRAM"
    fi
}

# No key leads out of the desk: no prefix, no bindings, no second window.
tmux_settings() {
    cat <<'CONF'
# Written by tools/server/ssh-desk.sh.
unbind-key -a
unbind-key -a -T root
unbind-key -a -T copy-mode
unbind-key -a -T copy-mode-vi
set -g prefix None
set -g prefix2 None
set -g status off
set -g escape-time 10
set -g default-terminal tmux-256color
set -g default-shell /bin/sh
set -g history-limit 0
set -g focus-events on
set -g set-clipboard off
set -g set-titles off
set -g update-environment "SSH_CONNECTION"
CONF
}

sshd_rules() {
    cat <<CONF
# Written by tools/server/ssh-desk.sh. A lost line ends its session within a minute; the desk keeps what was typed.
Match Group $GROUP
    ForceCommand $ROOT/usr/local/bin/dpolg-desk
    PermitTTY yes
    AcceptEnv LANG LC_* COLORTERM
    AllowTcpForwarding no
    AllowStreamLocalForwarding no
    AllowAgentForwarding no
    X11Forwarding no
    PermitTunnel no
    PermitUserRC no
    ClientAliveInterval 15
    ClientAliveCountMax 4
CONF
}

setup() {
    SSHD_RULES=$ROOT/etc/ssh/sshd_config.d/dpolg-desk.conf
    heading "Arbeitsplätze über SSH"
    CONFIG=${CONFIG:-$ROOT/etc/dpolg-tui/desk/config.toml}
    PROGRAM=${PROGRAM:-$(command -v dpolg-tui || true)}
    [[ -r $CONFIG ]] || fail "die Konfiguration $CONFIG gibt es nicht: zuerst setup.sh, oder --config DATEI"
    [[ -x $PROGRAM ]] || fail "dpolg-tui fehlt: bitte installieren oder --program PFAD"
    if [[ $TMUX_DESK == yes ]] && ! has tmux; then fail "tmux fehlt: apt-get install tmux"; fi
    if ! getent group "$GROUP" >/dev/null; then run groupadd --system "$GROUP"; fi
    make_directory "$ROOT/etc/dpolg-tui" 755
    # In a rehearsal the group may not be there yet; nothing is written then.
    write_file "$ROOT/etc/dpolg-tui/config.toml" 640 "root:$GROUP" <"$CONFIG"
    if [[ -r $(dirname "$CONFIG")/ca.crt ]]; then
        write_file "$ROOT/etc/dpolg-tui/ca.crt" 644 <"$(dirname "$CONFIG")/ca.crt"
    fi
    write_file "$ROOT/usr/local/bin/dpolg-desk" 755 < <(start_script)
    if [[ $TMUX_DESK == yes ]]; then write_file "$ROOT/etc/dpolg-tui/tmux.conf" 644 < <(tmux_settings); fi
    remember "$SSHD_RULES"
    write_file "$SSHD_RULES" 644 < <(sshd_rules)
    if [[ $WRITTEN == yes ]]; then reload_sshd; fi
    summary
}

reload_sshd() {
    if [[ -n $ROOT ]]; then
        leave "sshd neu laden (wegen --root)"
    elif ! grep -qiE '^\s*Include\s+/etc/ssh/sshd_config\.d/' /etc/ssh/sshd_config 2>/dev/null; then
        leave "in /etc/ssh/sshd_config fehlt die Zeile „Include /etc/ssh/sshd_config.d/*.conf“"
    elif ! dry && ! sshd -t; then
        take_back "$SSHD_RULES"
        fail "sshd nimmt seine Einstellungen nicht an, unsere sind zurückgenommen: bitte /etc/ssh prüfen, dann noch einmal aufrufen"
    elif has_systemd; then
        if ! run systemctl reload ssh; then
            take_back "$SSHD_RULES"
            fail "sshd lädt nicht neu, unsere Einstellungen sind zurückgenommen: systemctl status ssh, dann noch einmal aufrufen"
        fi
    else
        leave "sshd neu laden (hier läuft kein systemd)"
    fi
}

in_group() { id -nG "$1" 2>/dev/null | tr ' ' '\n' | grep -qxF "$GROUP"; }

add() {
    local home
    [[ -x $ROOT/usr/local/bin/dpolg-desk ]] || fail "zuerst: $0 setup"
    [[ -z $KEY || -r $KEY ]] || fail "die Datei $KEY ist nicht lesbar"
    if getent passwd "$ACCOUNT" >/dev/null; then
        in_group "$ACCOUNT" || fail "das Konto $ACCOUNT gibt es schon, und es ist kein Arbeitsplatz"
    else
        # "*" instead of "!": no password fits, but a key does, also where sshd works without PAM.
        run useradd --create-home --user-group --groups "$GROUP" --shell "$ROOT/usr/local/bin/dpolg-desk" \
            --password '*' --comment "DPolG Arbeitsplatz" "$ACCOUNT"
    fi
    dry && return
    home=$(getent passwd "$ACCOUNT" | cut -d: -f6)
    make_directory "$home" 700
    write_as_account "$home/.hushlogin" </dev/null
    if [[ -n $KEY ]]; then
        write_as_account "$home/.ssh/authorized_keys" <"$KEY"
    else
        leave "passwd $ACCOUNT: ohne Schlüssel braucht das Konto ein Passwort"
    fi
    summary
}

# write_as_account PATH < content. By the account itself: root would follow a link that somebody laid there.
write_as_account() {
    CHANGES=$((CHANGES + 1))
    printf '   ~ %s (600, %s)\n' "$1" "$ACCOUNT"
    # shellcheck disable=SC2016
    (cd / && runuser -u "$ACCOUNT" -- /bin/sh -c 'umask 077 && mkdir -p "$(dirname "$1")" && rm -f "$1.new" &&
        cat >"$1.new" && mv -f "$1.new" "$1"' sh "$1")
}

remove() {
    in_group "$ACCOUNT" || fail "das Konto $ACCOUNT ist kein Arbeitsplatz"
    # Nobody gets in any more; then what runs is ended: the desk keeps its queue only for itself.
    run usermod --expiredate 1 --password '*' "$ACCOUNT"
    run end_processes
    run userdel --remove "$ACCOUNT"
}

end_processes() {
    pkill -TERM -U "$(id -u "$ACCOUNT")" || return 0
    local _
    for _ in {1..20}; do
        pgrep -U "$(id -u "$ACCOUNT")" >/dev/null || return 0
        sleep 0.25
    done
    pkill -KILL -U "$(id -u "$ACCOUNT")" || return 0
}

list() {
    getent group "$GROUP" | cut -d: -f4 | tr ',' '\n' | sed '/^$/d'
}

parse "$@"
"$COMMAND"
