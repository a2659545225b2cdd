# shellcheck shell=bash
# The distribution's packages, updates by themselves, and the program from its wheel.

supported_system() {
    local system
    # In a shell of its own: the file sets variables with names like ours.
    # shellcheck source=/dev/null
    system=$( (. /etc/os-release && printf '%s-%s|%s' "${ID:-}" "${VERSION_ID:-}" "${PRETTY_NAME:-?}") 2>/dev/null) || system='|?'
    # What its package postgresql brings, for a rehearsal before it is there.
    case ${system%%|*} in
        ubuntu-22.04) COMING=14 ;;
        ubuntu-24.04) COMING=16 ;;
        debian-12) COMING=15 ;;
        debian-13) COMING=17 ;;
        *)
            warn "${system#*|}: erprobt ist Ubuntu 22.04 und 24.04, Debian 12 und 13"
            return
            ;;
    esac
    say "${system#*|}"
}

# Ubuntu 22.04 has Python 3.10 as python3 and 3.11 beside it.
find_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if has "$candidate" && "$candidate" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

wanted_packages() {
    printf '%s\n' postgresql openssl ca-certificates unattended-upgrades
    if [[ $FIREWALL == yes ]]; then
        oracle_rules || printf '%s\n' ufw
        # Ubuntu 24.04 and Debian 13 have fail2ban shut out by nft, and only recommend it.
        printf '%s\n' fail2ban python3-systemd nftables
    fi
    if [[ -n $WHEEL ]] && ! find_python >/dev/null; then
        if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' python3-venv
        else
            printf '%s\n' python3.11 python3.11-venv
        fi
    fi
}

install_packages() {
    heading "Pakete der Distribution"
    supported_system
    if [[ -n $ROOT || $PACKAGES == no ]]; then
        leave "Pakete: vorhanden sein müssen $(wanted_packages | tr '\n' ' ')"
        return
    fi
    if ! has apt-get; then
        leave "Pakete: hier gibt es kein apt-get; bitte PostgreSQL ab Version 14 samt contrib selbst installieren"
        return
    fi
    local name missing=()
    while read -r name; do
        if [[ $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null) != *"ok installed" ]]; then missing+=("$name"); fi
    done < <(wanted_packages)
    if ((${#missing[@]})); then
        run apt-get -q update
        run env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
            -o Dpkg::Options::=--force-confold "${missing[@]}"
    fi
    write_file /etc/apt/apt.conf.d/52dpolg-upgrades 644 <<'CONF'
// Security updates by themselves, every day. A new PostgreSQL restarts the server; desks come back by themselves.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
CONF
}

# Sets PROGRAM. A wheel goes into a virtual environment of its own.
install_program() {
    heading "Programm dpolg-tui"
    if [[ -n $WHEEL ]]; then
        install_wheel
    elif [[ -z $PROGRAM ]]; then
        PROGRAM=$(command -v dpolg-tui) ||
            fail "dpolg-tui fehlt: bitte mit --wheel DATEI.whl (make wheel) oder --program PFAD aufrufen"
    fi
    if dry && [[ ! -x $PROGRAM ]]; then return; fi
    [[ -x $PROGRAM ]] || fail "$PROGRAM ist nicht ausführbar"
    say "$("$PROGRAM" --version)"
}

install_wheel() {
    local home=/opt/dpolg-tui python mark
    [[ -r $WHEEL ]] || fail "die Datei $WHEEL ist nicht lesbar"
    mark=$(sha256sum <"$WHEEL")
    PROGRAM=/usr/local/bin/dpolg-tui
    if [[ -x $PROGRAM && $(cat $home/.wheel 2>/dev/null) == "$mark" ]]; then return; fi
    if ! python=$(find_python); then
        dry || fail "Python 3.11 oder neuer mit venv fehlt"
        python=python3
    fi
    if [[ ! -x $home/bin/python ]]; then run "$python" -m venv $home; fi
    run $home/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "$WHEEL"
    run ln -sfn $home/bin/dpolg-tui $PROGRAM
    write_file $home/.wheel 644 <<<"$mark"
}
