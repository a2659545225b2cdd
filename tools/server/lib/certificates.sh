# shellcheck shell=bash
# TLS: an authority of our own and the server's certificate, or files that were given.

# Days. Desks check with OpenSSL, which sets no limit of its own; dpolg-tui doctor warns before the end.
AUTHORITY_DAYS=7300
SERVER_DAYS=1825
RENEW_BEFORE=90

alternative_names() {
    local name list=()
    for name in "${NAMES[@]}"; do
        if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then list+=("IP:$name"); else list+=("DNS:$name"); fi
    done
    local IFS=,
    printf '%s' "${list[*]}"
}

make_certificates() {
    heading "TLS-Zertifikat"
    SERVER_CRT=$CONFIG_DIR/dpolg-server.crt
    SERVER_KEY=$CONFIG_DIR/dpolg-server.key
    if [[ -n $CERTIFICATE ]]; then
        given_certificate
    else
        own_authority
        if certificate_is_good; then
            say "gültig bis $(end_of "$SERVER_CRT")"
        else
            own_certificate
        fi
    fi
}

end_of() { openssl x509 -in "$1" -noout -enddate | cut -d= -f2; }

given_certificate() {
    openssl x509 -in "$CERTIFICATE" -noout -checkend 86400 >/dev/null 2>&1 ||
        fail "$CERTIFICATE ist kein Zertifikat oder läuft ab"
    if [[ $(openssl x509 -in "$CERTIFICATE" -noout -pubkey) != "$(openssl pkey -in "$KEY" -pubout 2>/dev/null)" ]]; then
        fail "der Schlüssel $KEY gehört nicht zum Zertifikat $CERTIFICATE"
    fi
    write_file "$SERVER_CRT" 644 postgres:postgres <"$CERTIFICATE"
    write_file "$SERVER_KEY" 600 postgres:postgres <"$KEY"
    if [[ -n $CA_FILE ]]; then write_file "$ETC/ca.crt" 644 <"$CA_FILE"; fi
}

own_authority() {
    local folder=$ETC/ca
    make_directory "$folder" 700
    if [[ ! -s $folder/ca.key || ! -s $folder/ca.crt ]]; then
        write_file "$folder/ca.cnf" 600 < <(authority_request)
        run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$folder/ca.key"
        run openssl req -x509 -new -key "$folder/ca.key" -days $AUTHORITY_DAYS -sha256 -out "$folder/ca.crt" \
            -subj "/CN=DPolG Buchungssystem CA ${NAMES[0]}" -config "$folder/ca.cnf" -extensions authority
    fi
    if ! dry; then write_file "$ETC/ca.crt" 644 <"$folder/ca.crt"; fi
}

# Python 3.13 is strict: key usage, critical constraints and key identifiers must be there.
authority_request() {
    cat <<'CONF'
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
CONF
}

certificate_is_good() {
    [[ -s $SERVER_CRT && -s $SERVER_KEY ]] &&
        openssl x509 -in "$SERVER_CRT" -noout -checkend $((RENEW_BEFORE * 86400)) >/dev/null &&
        openssl verify -CAfile "$ETC/ca/ca.crt" "$SERVER_CRT" >/dev/null 2>&1 &&
        [[ -r $ETC/ca/names && $(<"$ETC/ca/names") == "$(alternative_names)" ]]
}

own_certificate() {
    local folder=$ETC/ca
    say "Namen: $(alternative_names)"
    write_file "$folder/server.cnf" 600 < <(server_extensions)
    run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$folder/server.key"
    run openssl req -new -key "$folder/server.key" -subj "/CN=${NAMES[0]:0:64}" -config "$folder/ca.cnf" \
        -out "$folder/server.csr"
    run openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -sha256 \
        -set_serial "0x$(openssl rand -hex 16)" -days $SERVER_DAYS -extfile "$folder/server.cnf" -out "$folder/server.crt"
    run install -o postgres -g postgres -m 600 "$folder/server.key" "$SERVER_KEY"
    run install -o postgres -g postgres -m 644 "$folder/server.crt" "$SERVER_CRT"
    run rm -f "$folder/server.key" "$folder/server.csr" "$folder/server.crt"
    # A later run makes a new one when other names are asked for.
    write_file "$folder/names" 644 < <(alternative_names)
}

server_extensions() {
    cat <<CONF
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $(alternative_names)
CONF
}
