#!/usr/bin/env bash
# A second machine that has everything a moment later and can take over. docs/standby.md has the whole procedure.
set -Eeuo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trap 'printf "Fehler: Schritt gescheitert (%s, Zeile %d)\n" "${BASH_SOURCE[0]##*/}" "$LINENO" >&2' ERR
# shellcheck source=lib/steps.sh
. "$here/lib/steps.sh"
# shellcheck source=lib/cluster.sh
. "$here/lib/cluster.sh"
# shellcheck source=lib/firewall.sh
. "$here/lib/firewall.sh"

RULE_COMMENT=dpolg-standby
ROLE=dpolg_replication SLOT=dpolg_standby
COMMAND='' ROOT='' CLUSTER=main VERSION='' PORT='' PRIMARY='' PRIMARY_PORT=5432 SYNCHRONOUS=no FORCE=no FIREWALL=yes
FROM=() MAKES_CLUSTER=no

usage() {
    cat <<'TEXT'
Aufruf: sudo tools/server/standby.sh allow --standby ADRESSE [--synchronous]     auf dem Hauptserver
        sudo tools/server/standby.sh follow --primary NAME [--primary-port PORT]  auf der zweiten Maschine
        sudo tools/server/standby.sh promote [--force]                            dort, wenn der Hauptserver weg ist
        sudo tools/server/standby.sh status                                       auf beiden

  allow     Rolle, Zugang und Einstellungen für die zweite Maschine
  follow    deren Daten durch eine Abschrift des Hauptservers ersetzen und ihm folgen (die alten werden aufgehoben)
  promote   diese Maschine wird Hauptserver; verweigert, solange der alte antwortet (--force: trotzdem)
  status    wer ist was, und wie weit ist die zweite Maschine zurück

  --synchronous     was bestätigt ist, ist auf beiden Maschinen; fällt die zweite aus, wartet das Speichern
  --cluster NAME    PostgreSQL-Cluster (Vorgabe: main)      --pg-version ZAHL   seine Version
  --no-firewall     ufw und iptables in Ruhe lassen         --root ORDNER       wie bei setup.sh
  --dry-run         zeigen, was getan würde
TEXT
}

parse() {
    while (($#)); do
        case $1 in
            allow | follow | promote | status) COMMAND=$1 ;;
            --synchronous) SYNCHRONOUS=yes ;;
            --force) FORCE=yes ;;
            --no-firewall) FIREWALL=no ;;
            --dry-run) DRY_RUN=yes ;;
            -h | --help)
                usage
                exit 0
                ;;
            --standby | --primary | --primary-port | --cluster | --pg-version | --root)
                (($# > 1)) || usage_error "$1 braucht einen Wert"
                option "$1" "$2"
                shift
                ;;
            *) usage_error "„$1“ ist unbekannt" ;;
        esac
        shift
    done
    [[ -n $COMMAND ]] || usage_error "es fehlt der Befehl: allow, follow, promote oder status"
    if ((EUID != 0)); then usage_error "nur root kann das: bitte mit sudo aufrufen"; fi
    ETC=$ROOT/etc/dpolg-tui
}

option() {
    case $1 in
        --standby)
            [[ $2 =~ ^[0-9]+(\.[0-9]+){3}$ || $2 =~ ^[0-9A-Fa-f:]*:[0-9A-Fa-f:]*$ ]] || usage_error "--standby „$2“ ist keine Adresse"
            FROM+=("$2")
            ;;
        --primary)
            [[ $2 =~ ^[A-Za-z0-9][A-Za-z0-9.:-]*$ ]] || usage_error "--primary „$2“ ist kein Name und keine Adresse"
            PRIMARY=$2
            ;;
        --primary-port)
            [[ $2 =~ ^[1-9][0-9]{0,4}$ ]] || usage_error "--primary-port „$2“ ist kein Port"
            PRIMARY_PORT=$2
            ;;
        --cluster) CLUSTER=$2 ;;
        --pg-version) VERSION=$2 ;;
        --root) ROOT=${2%/} ;;
    esac
}

# ---- on the primary

allow() {
    ((${#FROM[@]})) || usage_error "allow braucht --standby ADRESSE"
    running || fail "der Cluster $CLUSTER läuft nicht"
    if in_recovery; then fail "diese Maschine folgt selbst einem Hauptserver"; fi
    make_directory "$ETC/secrets" 700
    random_file "$ETC/secrets/replication"
    dry || replication_role
    write_file "$CONFIG_DIR/conf.d/dpolg-standby.conf" 644 postgres:postgres < <(primary_settings)
    local rules
    rules=$(sed '/^# standby: begin$/,/^# standby: end$/d' "$CONFIG_DIR/pg_hba.conf" && replication_rules)
    write_file "$CONFIG_DIR/pg_hba.conf" 640 postgres:postgres <<<"$rules"
    activate
    dry || replication_slot
    configure_firewall
    summary
    say "Nun $ETC (mit ca und secrets) auf die zweite Maschine kopieren, dort setup.sh --standby und standby.sh follow."
}

# By standard input: no password among the words of a command, none in the server's log.
replication_role() {
    if [[ -n $(superuser postgres -c "SELECT 1 FROM pg_authid WHERE rolname = '$ROLE' AND rolreplication") ]]; then return; fi
    say "Rolle $ROLE"
    superuser postgres <<SQL
SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';
CREATE ROLE $ROLE LOGIN REPLICATION CONNECTION LIMIT 5 PASSWORD '$(cat "$ETC/secrets/replication")';
SQL
}

replication_slot() {
    if [[ -z $(superuser postgres -c "SELECT 1 FROM pg_replication_slots WHERE slot_name = '$SLOT'") ]]; then
        run superuser postgres -c "SELECT pg_create_physical_replication_slot('$SLOT')"
    fi
}

# A standby that is away for long costs at most 4 GB of disk here; after that it has to be made anew.
primary_settings() {
    cat <<CONF
# Written by tools/server/standby.sh.
wal_level = replica
wal_log_hints = on
max_wal_senders = 10
max_replication_slots = 10
max_slot_wal_keep_size = 4GB
CONF
    if [[ $SYNCHRONOUS == yes ]]; then
        printf "synchronous_standby_names = '%s'\nsynchronous_commit = remote_apply\n" "$SLOT"
    fi
}

replication_rules() {
    local address
    echo '# standby: begin'
    for address in "${FROM[@]}"; do
        printf 'hostssl   replication  %s  %s/%s  scram-sha-256\n' "$ROLE" "$address" "$([[ $address == *:* ]] && echo 128 || echo 32)"
    done
    echo '# standby: end'
}

# ---- on the second machine

follow() {
    [[ -n $PRIMARY ]] || usage_error "follow braucht --primary NAME"
    [[ -s $ETC/secrets/replication && -s $ETC/ca.crt ]] ||
        fail "es fehlen $ETC/secrets/replication und ca.crt: bitte $ETC vom Hauptserver kopieren"
    DATA_DIR=$(pg_lsclusters -h "$VERSION" "$CLUSTER" | awk '{print $6}')
    write_file "$CONFIG_DIR/dpolg-ca.crt" 644 postgres:postgres <"$ETC/ca.crt"
    write_file "$CONFIG_DIR/dpolg-replication.pgpass" 600 postgres:postgres < <(
        printf '*:*:*:%s:%s\n' "$ROLE" "$(cat "$ETC/secrets/replication")"
    )
    # Before anything is stopped or moved.
    dry || try_primary
    if running; then run pg_ctlcluster "$VERSION" "$CLUSTER" stop; fi
    local kept
    kept=$DATA_DIR.before-$(date +%Y%m%d-%H%M%S)
    run mv "$DATA_DIR" "$kept"
    if ! run base_backup; then
        rm -rf "$DATA_DIR"
        mv "$kept" "$DATA_DIR"
        fail "die Abschrift ist gescheitert; die alten Daten liegen wieder an ihrem Platz"
    fi
    run pg_ctlcluster "$VERSION" "$CLUSTER" start
    dry || wait_until_streaming
    leave "$kept: die bisherigen Daten; bitte löschen, wenn alles läuft"
    summary
}

connection() {
    printf "host=%s port=%s user=%s passfile=%s sslmode=verify-full sslrootcert=%s application_name=%s connect_timeout=10" \
        "$PRIMARY" "$PRIMARY_PORT" "$ROLE" "$CONFIG_DIR/dpolg-replication.pgpass" "$CONFIG_DIR/dpolg-ca.crt" "$SLOT"
}

try_primary() {
    (cd / && runuser -u postgres -- psql -X -q -t -A -d "$(connection) replication=true" -c "IDENTIFY_SYSTEM" >/dev/null) ||
        fail "der Hauptserver $PRIMARY lässt die Abschrift nicht zu; dort: standby.sh allow --standby ADRESSE DIESER MASCHINE"
}

base_backup() {
    (cd / && runuser -u postgres -- pg_basebackup --pgdata "$DATA_DIR" --dbname "$(connection)" \
        --write-recovery-conf --wal-method stream --checkpoint fast --slot "$SLOT")
}

wait_until_streaming() {
    local _
    for _ in {1..120}; do
        if [[ $(superuser postgres -c "SELECT status FROM pg_stat_wal_receiver") == streaming ]]; then
            say "folgt $PRIMARY"
            return
        fi
        sleep 0.5
    done
    fail "die zweite Maschine läuft, aber folgt nicht: siehe /var/log/postgresql/postgresql-$VERSION-$CLUSTER.log"
}

promote() {
    in_recovery || fail "diese Maschine folgt keinem Hauptserver (oder läuft nicht)"
    if [[ $FORCE == no ]] && primary_answers; then
        fail "der Hauptserver antwortet noch: dort erst PostgreSQL anhalten und abschalten, sonst schreiben zwei (--force: trotzdem)"
    fi
    run pg_ctlcluster "$VERSION" "$CLUSTER" promote
    dry && return
    local _
    for _ in {1..240}; do
        if ! in_recovery; then
            # Nobody follows this one yet: waiting for one would stop every save.
            write_file "$CONFIG_DIR/conf.d/dpolg-standby.conf" 644 postgres:postgres < <(SYNCHRONOUS=no primary_settings)
            pg_ctlcluster "$VERSION" "$CLUSTER" reload
            leave "der alte Hauptserver darf nicht wieder als Hauptserver starten (systemctl disable postgresql)"
            leave "setup.sh noch einmal aufrufen: Zeitpläne (Sicherung) laufen ab jetzt hier"
            summary
            return
        fi
        sleep 0.25
    done
    fail "die Übernahme ist nach einer Minute nicht fertig: siehe das Protokoll des Servers"
}

# Anything but silence is an answer: a refusal (no rule, another password), an expired certificate, a server that is
# still starting. pg_isready needs none of these; it returns 2 where nobody answers. Without a host it would ask here.
primary_answers() {
    local conninfo answer=0
    conninfo=$(superuser postgres -c "SHOW primary_conninfo")
    [[ $conninfo == *host=* ]] || fail "primary_conninfo nennt keinen Hauptserver, der zu fragen wäre (--force: trotzdem)"
    (cd / && runuser -u postgres -- pg_isready -q -t 5 -d "$conninfo connect_timeout=5 sslmode=prefer") || answer=$?
    ((answer != 2))
}

status() {
    running || fail "der Cluster $CLUSTER läuft nicht"
    if in_recovery; then
        say "zweite Maschine, $(superuser postgres -c "SELECT coalesce((SELECT status || ' von ' || sender_host FROM pg_stat_wal_receiver), 'ohne Verbindung zum Hauptserver')")"
        say "$(superuser postgres -c "SELECT coalesce((SELECT pg_wal_lsn_diff(greatest(latest_end_lsn, pg_last_wal_receive_lsn()), pg_last_wal_replay_lsn()) || ' Byte zurück, ' FROM pg_stat_wal_receiver), '')
            || coalesce('letzte Änderung von ' || to_char(pg_last_xact_replay_timestamp(), 'DD.MM.YYYY HH24:MI:SS'), 'seit dem Start keine Änderung')")"
    else
        say "Hauptserver; es folgen: $(superuser postgres -c "SELECT coalesce(string_agg(concat_ws(' ', application_name, client_addr, state, sync_state, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) || ' Byte zurück'), '; '), 'niemand') FROM pg_stat_replication")"
    fi
}

parse "$@"
find_cluster
"$COMMAND"
