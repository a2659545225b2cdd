# shellcheck shell=bash
# The database: made empty, filled by init-db, with passwords that only files know; and what a desk needs.

SECRETS=(admin owner booking_user backup)

make_database() {
    heading "Datenbank $DATABASE"
    if dry && ! running; then
        say "Danach: anlegen und mit dpolg-tui init-db einrichten."
        return
    fi
    if [[ -z $(superuser postgres -c "SELECT 1 FROM pg_database WHERE datname = '$DATABASE'") ]]; then
        run create_database
    fi
    if is_initialised; then
        say "ist eingerichtet; nach einem Programmwechsel: dpolg-tui upgrade-db"
    else
        initialise
    fi
    if dry; then return; fi
    connection_limit
    statement_statistics
}

create_database() {
    (cd / && runuser -u postgres -- createdb -h $SOCKETS -p "$PORT" -T template0 -E UTF8 --locale=C.UTF-8 "$DATABASE")
}

is_initialised() {
    [[ $(superuser "$DATABASE" -c "SELECT to_regclass('app.migrations') IS NOT NULL" 2>/dev/null) == t ]]
}

initialise() {
    local name
    make_directory "$ETC/secrets" 700
    for name in "${SECRETS[@]}"; do random_file "$ETC/secrets/$name"; done
    run "$PROGRAM" --dsn "host=$SOCKETS port=$PORT dbname=$DATABASE user=postgres" init-db --admin "$ADMIN" \
        --admin-password-file "$ETC/secrets/admin" \
        --owner-password-file "$ETC/secrets/owner" \
        --booking-user-password-file "$ETC/secrets/booking_user" \
        --backup-password-file "$ETC/secrets/backup" </dev/null
}

# Five connections stay for the owner, backups and superusers. init-db sets the same; --desks may have changed since.
connection_limit() {
    local limit=$(($(maximum_connections) - 5))
    if [[ $(superuser postgres -c "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'booking_user'") != "$limit" ]]; then
        run superuser postgres -c "ALTER ROLE booking_user CONNECTION LIMIT $limit"
    fi
}

# For dpolg-tui doctor. In schema ext, which desks cannot use.
statement_statistics() {
    if [[ -z $(superuser "$DATABASE" -c "SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'") ]]; then
        run superuser "$DATABASE" -c "CREATE EXTENSION pg_stat_statements SCHEMA ext"
    fi
}

# What each desk gets: config.toml and ca.crt. The settings of the server's own timers need no password.
client_files() {
    heading "Dateien für die Arbeitsplätze"
    make_directory "$ETC/desk" 700
    if [[ -r $ETC/ca.crt ]] && ! dry; then write_file "$ETC/desk/ca.crt" 644 <"$ETC/ca.crt"; fi
    if [[ -s $ETC/secrets/booking_user ]]; then
        write_file "$ETC/desk/config.toml" 600 < <(desk_configuration)
    elif ! dry; then
        leave "$ETC/desk/config.toml: das Passwort von booking_user liegt nicht (mehr) in $ETC/secrets"
    fi
    # Not for everybody: a copy command may hold a token. Under --root there is no account.
    write_file "$ETC/server.toml" 640 "$(if [[ -z $ROOT ]]; then echo root:dpolg; fi)" < <(server_configuration)
}

desk_configuration() {
    cat <<CONF
# For each desk, beside ca.crt: \`dpolg-tui config path\` says where. Readable for its user alone.
[database]
host = $(hosts)
port = $PORT
database = "$DATABASE"
username = "booking_user"
password = "$(cat "$ETC/secrets/booking_user")"
ssl_mode = "verify-full"
CONF
    if [[ -z $CERTIFICATE || -n $CA_FILE ]]; then echo 'ca_file = "ca.crt"'; fi
}

# Desks go to the one of two that takes writes.
hosts() {
    if [[ -n $PEER ]]; then printf '["%s", "%s"]' "${NAMES[0]}" "$PEER"; else printf '"%s"' "${NAMES[0]}"; fi
}

# Written once; later only what this script decides is set anew, in its own sections: a copy command or terms of one's own stay.
server_configuration() {
    if [[ -r $ETC/server.toml ]]; then
        sed -e "/^\[database\]/,/^\[/{ s#^host *=.*#host = \"$SOCKETS\"#; s#^port *=.*#port = $PORT#; s#^database *=.*#database = \"$DATABASE\"#; }" \
            -e "/^\[backup\]/,/^\[/s#^directory *=.*#directory = \"$BACKUPS\"#" "$ETC/server.toml"
        return
    fi
    cat <<CONF
# For the timers that setup.sh makes. PGUSER says as whom; accounts are known by pg_ident.conf, without passwords.
[database]
host = "$SOCKETS"
port = $PORT
database = "$DATABASE"
CONF
    # For doctor, which tells when it expires; by the socket nobody needs it.
    if [[ -r $ETC/ca.crt ]]; then printf 'ca_file = "%s"\n' "$ETC/ca.crt"; fi
    printf '\n[backup]\ndirectory = "%s"\n' "$BACKUPS"
}
