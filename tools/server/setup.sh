#!/usr/bin/env bash
# Makes a machine the server of the house: PostgreSQL, TLS, access, firewall, timers, database. Run it as often as you
# like: what is there stays. docs/server.md says what it does and why.
set -Eeuo pipefail
shopt -s inherit_errexit
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trap 'printf "Fehler: Schritt gescheitert (%s, Zeile %d)\n" "${BASH_SOURCE[0]##*/}" "$LINENO" >&2' ERR
# shellcheck source=lib/steps.sh
. "$here/lib/steps.sh"
# shellcheck source=lib/packages.sh
. "$here/lib/packages.sh"
# shellcheck source=lib/certificates.sh
. "$here/lib/certificates.sh"
# shellcheck source=lib/cluster.sh
. "$here/lib/cluster.sh"
# shellcheck source=lib/house.sh
. "$here/lib/house.sh"
# shellcheck source=lib/firewall.sh
. "$here/lib/firewall.sh"
# shellcheck source=lib/timers.sh
. "$here/lib/timers.sh"

NAMES=() FROM=() ROOT='' CLUSTER=main VERSION='' PORT='' DATABASE=dpolg_booking ADMIN=admin DESKS=5 MEMORY=1
LISTEN='*' CERTIFICATE='' KEY='' CA_FILE='' WHEEL='' PROGRAM='' BACKUPS=/backups PACKAGES=yes FIREWALL=yes STANDBY=no PEER=''

usage() {
    cat <<'TEXT'
Aufruf: sudo tools/server/setup.sh --name SERVERNAME [Optionen]

Richtet den Server ein: PostgreSQL der Distribution, Zertifikat, Zugang, Firewall, Zeitpläne, Datenbank.
Ein zweiter Lauf ändert nur, was nicht mehr stimmt.

  --name NAME         Name oder Adresse, unter der Arbeitsplätze den Server erreichen; mehrfach möglich
  --from ADRESSE      nur von hier dürfen sich Arbeitsplätze verbinden (192.0.2.7 oder 192.0.2.0/24); mehrfach möglich
  --desks ZAHL        Arbeitsplätze (Vorgabe: 5); über 5 werden es 3·ZAHL + 15 Verbindungen statt 30
  --memory GB         Arbeitsspeicher in GB, den PostgreSQL verplanen darf (Vorgabe: 1)
  --wheel DATEI       dpolg-tui aus diesem Wheel nach /opt/dpolg-tui installieren
  --program PFAD      dieses dpolg-tui benutzen (Vorgabe: das im PATH)
  --admin NAME        Benutzername der ersten Person mit der Rolle Admin (Vorgabe: admin)
  --certificate DATEI --key DATEI [--ca DATEI]   dieses Zertifikat statt eines eigenen
  --backups ORDNER    wohin die Sicherungen kommen (Vorgabe: /backups)
  --standby           zweite Maschine: alles bis auf Datenbank und Zeitpläne; danach standby.sh follow
  --peer NAME[:PORT]  die andere Maschine, mit der sie sich abwechselt: steht in config.toml als zweiter Server
  --no-packages       nichts installieren        --no-firewall   ufw, iptables und fail2ban in Ruhe lassen
  --cluster NAME      PostgreSQL-Cluster (Vorgabe: main); wird angelegt, wenn es ihn nicht gibt
  --port PORT         sein Port (Vorgabe: 5432 oder der des vorhandenen Clusters)
  --pg-version ZAHL   seine Version (Vorgabe: die neueste installierte)
  --database NAME     Datenbank (Vorgabe: dpolg_booking)
  --listen ADRESSEN   worauf PostgreSQL hört (Vorgabe: *)
  --root ORDNER       Dateien unter ORDNER/etc statt /etc schreiben; Pakete, Firewall, Dienste, Konten bleiben, wie sie sind
  --dry-run           zeigen, was getan würde, und nichts tun
TEXT
}

parse() {
    while (($#)); do
        case $1 in
            --dry-run) DRY_RUN=yes ;;
            --no-packages) PACKAGES=no ;;
            --no-firewall) FIREWALL=no ;;
            --standby) STANDBY=yes ;;
            -h | --help)
                usage
                exit 0
                ;;
            --*)
                (($# > 1)) || usage_error "$1 ist unbekannt oder braucht einen Wert"
                option "$1" "$2"
                shift
                ;;
            *) usage_error "„$1“ ist unbekannt" ;;
        esac
        shift
    done
}

option() {
    case $1 in
        --name) NAMES+=("$2") ;;
        --from) FROM+=("$2") ;;
        --desks) DESKS=$2 ;;
        --memory) MEMORY=$2 ;;
        --wheel) WHEEL=$2 ;;
        --program) PROGRAM=$2 ;;
        --admin) ADMIN=$2 ;;
        --certificate) CERTIFICATE=$2 ;;
        --key) KEY=$2 ;;
        --ca) CA_FILE=$2 ;;
        --backups) BACKUPS=$2 ;;
        --cluster) CLUSTER=$2 ;;
        --port) PORT=$2 ;;
        --pg-version) VERSION=$2 ;;
        --database) DATABASE=$2 ;;
        --listen) LISTEN=$2 ;;
        --root) ROOT=${2%/} ;;
        --peer) PEER=$2 ;;
        *) usage_error "$1 ist unbekannt" ;;
    esac
}

# Everything goes into files of configuration: what is not plainly a name, an address or a number is refused.
check_options() {
    ((${#NAMES[@]})) || usage_error "es fehlt --name: der Name, unter dem Arbeitsplätze den Server erreichen"
    local value
    for value in "${NAMES[@]}" ${PEER:+"$PEER"}; do
        [[ $value =~ ^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$ ]] || usage_error "--name „$value“ ist kein Name und keine Adresse"
    done
    for value in "${FROM[@]}"; do
        [[ $value =~ ^[0-9]+(\.[0-9]+){3}(/[0-9]+)?$ || $value =~ ^[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(/[0-9]+)?$ ]] ||
            usage_error "--from „$value“ ist keine Adresse"
    done
    for value in "$DESKS" "$MEMORY" "${PORT:-1}" "${VERSION:-14}"; do
        [[ $value =~ ^[1-9][0-9]{0,4}$ ]] || usage_error "„$value“ ist keine ganze Zahl ab 1"
    done
    for value in "$CLUSTER" "$DATABASE" "$ADMIN"; do
        [[ $value =~ ^[A-Za-z0-9_][A-Za-z0-9_.]*$ ]] || usage_error "„$value“: erlaubt sind Buchstaben, Ziffern, _ und Punkt"
    done
    [[ $LISTEN =~ ^[A-Za-z0-9.:,*\ -]+$ ]] || usage_error "--listen „$LISTEN“ ist keine Liste von Adressen"
    [[ $BACKUPS =~ ^/[A-Za-z0-9_./-]+$ ]] || usage_error "--backups braucht einen vollen Pfad ohne Leerzeichen"
    backups_are_ours || usage_error "--backups $BACKUPS gehört nicht dem Konto dpolg und ist nicht leer: bitte einen eigenen Ordner nennen"
    [[ -z $CERTIFICATE && -z $KEY ]] || [[ -r $CERTIFICATE && -r $KEY ]] ||
        usage_error "--certificate und --key gehören zusammen und müssen lesbar sein"
    if ((EUID != 0)) && ! dry; then usage_error "nur root kann das: bitte mit sudo aufrufen"; fi
}

# The directory becomes the account's alone: for /var or a disk with other things on it that would be a disaster.
backups_are_ours() {
    local folder
    folder=$(realpath -m "$BACKUPS")
    [[ -z $ROOT && -d $folder && $(stat -c %U "$folder") != dpolg ]] || return 0
    [[ -z $(find "$folder" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) ]]
}

# An address without a mask is one machine.
sources() {
    local value
    SOURCES=()
    for value in "${FROM[@]}"; do
        case $value in
            */*) SOURCES+=("$value") ;;
            *:*) SOURCES+=("$value/128") ;;
            *) SOURCES+=("$value/32") ;;
        esac
    done
    if ((${#SOURCES[@]} == 0)); then SOURCES=(0.0.0.0/0 ::/0); fi
}

main() {
    parse "$@"
    check_options
    sources
    ETC=$ROOT/etc/dpolg-tui
    install_packages
    install_program
    find_cluster
    make_directory "$ETC" 755
    make_certificates
    configure_cluster
    make_account
    if [[ $STANDBY == yes ]] || in_recovery; then
        leave "Datenbank und Zeitpläne: hat der Hauptserver; nach dem Übernehmen (standby.sh promote) noch einmal aufrufen"
    else
        make_database
        client_files
        configure_timers
    fi
    configure_firewall
    configure_fail2ban
    summary
    if [[ -r $ETC/desk/config.toml ]] && ! dry; then
        say "Für jeden Arbeitsplatz: $ETC/desk/config.toml und ca.crt. Passwörter: $ETC/secrets (sicher verwahren)."
    fi
}

main "$@"
