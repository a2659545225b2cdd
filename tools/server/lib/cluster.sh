# shellcheck shell=bash
# The PostgreSQL cluster: made where it is missing, tuned, open by TLS and password only.

SOCKETS=/var/run/postgresql

# Sets VERSION, PORT, CONFIG_DIR, DATA_DIR of the cluster, which is made if there is none of that name.
find_cluster() {
    heading "PostgreSQL-Cluster $CLUSTER"
    if ! has pg_lsclusters; then
        dry || fail "PostgreSQL fehlt (pg_lsclusters): bitte das Paket postgresql installieren"
        VERSION=${VERSION:-${COMING:-15}} PORT=${PORT:-5432} DATA_DIR=
        CONFIG_DIR=/etc/postgresql/$VERSION/$CLUSTER
        return
    fi
    local found asked=$PORT
    found=$(pg_lsclusters -h | awk -v c="$CLUSTER" -v v="$VERSION" '$2 == c && (v == "" || $1 == v)' | tail -n 1)
    if [[ -n $found ]]; then
        read -r VERSION _ PORT _ _ DATA_DIR _ <<<"$found"
        if [[ -n $asked && $asked != "$PORT" ]]; then
            fail "der Cluster $VERSION/$CLUSTER hat Port $PORT, nicht $asked"
        fi
    elif [[ ${MAKES_CLUSTER:-yes} == yes ]]; then
        make_cluster
    else
        fail "den Cluster $CLUSTER gibt es hier nicht: zuerst setup.sh"
    fi
    CONFIG_DIR=/etc/postgresql/$VERSION/$CLUSTER
    if ((VERSION < 14)); then fail "PostgreSQL $VERSION ist zu alt: gebraucht wird 14 oder neuer"; fi
    say "PostgreSQL $VERSION, Port $PORT, $CONFIG_DIR"
}

make_cluster() {
    if [[ -z $VERSION ]]; then
        VERSION=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -n | tail -n 1)
    fi
    PORT=${PORT:-5432}
    DATA_DIR=/var/lib/postgresql/$VERSION/$CLUSTER
    run pg_createcluster "$VERSION" "$CLUSTER" --port "$PORT" --encoding UTF8 --locale C.UTF-8 -- --data-checksums
}

maximum_connections() { echo $((DESKS > 5 ? 3 * DESKS + 15 : 30)); }

# The figures of the client's plan for 1 GB, times the memory that was given.
cluster_settings() {
    cat <<CONF
# Written by tools/server/setup.sh, which overwrites it; your own settings: conf.d/zz-own.conf.
listen_addresses = '$LISTEN'
max_connections = $(maximum_connections)
password_encryption = 'scram-sha-256'
ssl = on
ssl_cert_file = '$SERVER_CRT'
ssl_key_file = '$SERVER_KEY'
ssl_min_protocol_version = 'TLSv1.2'

shared_buffers = $((256 * MEMORY))MB
effective_cache_size = $((768 * MEMORY))MB
maintenance_work_mem = $((MEMORY > 16 ? 1024 : 64 * MEMORY))MB
work_mem = 4MB
wal_buffers = 8MB
checkpoint_completion_target = 0.9
default_statistics_target = 100
random_page_cost = 1.1
jit = off

# Small tables that change all day: the default of a fifth would wait for weeks.
autovacuum = on
autovacuum_vacuum_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.02

# A desk that vanished gives its connection back within a minute and a half.
tcp_keepalives_idle = 30
tcp_keepalives_interval = 10
tcp_keepalives_count = 3
tcp_user_timeout = 60000

# The SQLSTATE (%e) and the address (%h) are what fail2ban reads. Without user and database (%u, %d): whoever asks for
# entry chooses them, line breaks included, and could forge lines of another house's address.
log_line_prefix = '%m [%p] %e %h '
log_min_duration_statement = 1000
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.max = 1000
pg_stat_statements.track_utility = off
CONF
    if ((VERSION >= 17)); then
        # 128 MB: the default lets a client that reads nothing fill 8 GB of disk.
        echo "max_notify_queue_pages = 16384"
    fi
}

access_rules() {
    local address
    cat <<CONF
# Written by tools/server/setup.sh, which overwrites it. From the network by TLS and password only, and only desks.
# TYPE    DATABASE  USER  ADDRESS  METHOD
local     all  postgres                  peer map=dpolg
local     all  dpolg_owner,dpolg_backup  peer map=dpolg
local     $DATABASE  booking_user        scram-sha-256
CONF
    for address in 127.0.0.1/32 ::1/128 "${SOURCES[@]}"; do
        printf 'hostssl   %s  booking_user  %s  scram-sha-256\n' "$DATABASE" "$address"
    done
    standby_rules
}

# What standby.sh has written stays.
standby_rules() {
    if [[ -r $CONFIG_DIR/pg_hba.conf ]]; then
        sed -n '/^# standby: begin$/,/^# standby: end$/p' "$CONFIG_DIR/pg_hba.conf"
    fi
}

# Who may be whom through the socket, without a password: root everything, the account of the timers its two roles.
account_map() {
    cat <<'CONF'
# Written by tools/server/setup.sh, which overwrites it.
# MAP   ACCOUNT   ROLE
dpolg   postgres  postgres
dpolg   root      postgres
dpolg   root      dpolg_owner
dpolg   root      dpolg_backup
dpolg   dpolg     dpolg_owner
dpolg   dpolg     dpolg_backup
CONF
}

configure_cluster() {
    heading "Einstellungen von PostgreSQL"
    refuse_other_databases
    write_file "$CONFIG_DIR/conf.d/dpolg.conf" 644 postgres:postgres < <(cluster_settings)
    local file
    for file in pg_hba.conf pg_ident.conf; do
        if [[ -f $CONFIG_DIR/$file && ! -e $CONFIG_DIR/$file.before-dpolg ]]; then
            run cp -p "$CONFIG_DIR/$file" "$CONFIG_DIR/$file.before-dpolg"
        fi
    done
    write_file "$CONFIG_DIR/pg_ident.conf" 640 postgres:postgres < <(account_map)
    write_file "$CONFIG_DIR/pg_hba.conf" 640 postgres:postgres < <(access_rules)
    activate
}

# Its pg_hba.conf is written anew: somebody else's databases would be shut.
refuse_other_databases() {
    if ! running || [[ -e $CONFIG_DIR/pg_hba.conf.before-dpolg ]]; then return; fi
    local others
    others=$(superuser postgres -c "SELECT string_agg(datname, ', ') FROM pg_database
        WHERE NOT datistemplate AND datname NOT IN ('postgres', '$DATABASE')")
    if [[ -n $others ]]; then
        fail "im Cluster $VERSION/$CLUSTER sind andere Datenbanken ($others): bitte mit --cluster NAME --port PORT einen eigenen anlegen"
    fi
}

running() { has pg_lsclusters && [[ $(pg_lsclusters -h "$VERSION" "$CLUSTER" 2>/dev/null | awk '{print $4}') == online* ]]; }

in_recovery() { running && [[ $(superuser postgres -c "SELECT pg_is_in_recovery()") == t ]]; }

# superuser DATABASE [psql's options]: over the socket, by the account postgres.
superuser() {
    local database=$1
    shift
    (cd / && runuser -u postgres -- psql -X -q -t -A -v ON_ERROR_STOP=1 -h $SOCKETS -p "$PORT" -d "$database" "$@")
}

# A restart only for what needs one.
activate() {
    if ! running; then
        run pg_ctlcluster "$VERSION" "$CLUSTER" start
    elif dry; then
        say "Danach neu laden, wenn nötig neu starten."
    else
        pg_ctlcluster "$VERSION" "$CLUSTER" reload
        local pending
        pending=$(pending_restart)
        if [[ -n $pending ]]; then
            say "Neustart nötig für: $pending"
            run pg_ctlcluster "$VERSION" "$CLUSTER" restart
        fi
    fi
    dry || check_settings
}

# The server reads its files a moment after the signal.
pending_restart() {
    superuser postgres -c "SELECT pg_sleep(0.5)" >/dev/null
    superuser postgres -c "SELECT string_agg(name, ', ' ORDER BY name) FROM pg_settings WHERE pending_restart"
}

check_settings() {
    local wrong
    wrong=$(superuser postgres -c "SELECT string_agg(concat_ws(' ', sourcefile, name, error), '; ') FROM pg_file_settings WHERE error IS NOT NULL")
    wrong+=$(superuser postgres -c "SELECT string_agg(concat_ws(' ', 'pg_hba.conf', line_number, error), '; ') FROM pg_hba_file_rules WHERE error IS NOT NULL")
    if [[ -n $wrong ]]; then fail "PostgreSQL nimmt nicht alles an: $wrong"; fi
}
