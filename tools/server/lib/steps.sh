# shellcheck shell=bash
# How the scripts of this directory do a step: tell it, do it unless this is a rehearsal, count what changed.
# Sourced; needs bash with "set -Eeuo pipefail".

DRY_RUN=${DRY_RUN:-no}
CHANGES=0
LEFT=()

heading() { printf '\n== %s\n' "$*"; }
say() { printf '   %s\n' "$*"; }
warn() { printf '   ! %s\n' "$*"; }
fail() {
    printf 'Fehler: %s\n' "$*" >&2
    exit 1
}
usage_error() {
    printf 'Fehler: %s (Hilfe: %s --help)\n' "$*" "$0" >&2
    exit 2
}

# What was not done and what to do instead; told again at the end.
leave() {
    LEFT+=("$*")
    printf '   – nicht getan: %s\n' "$*"
}

dry() { [[ $DRY_RUN == yes ]]; }
has() { command -v "$1" >/dev/null 2>&1; }

# A command that changes something. Never with a secret among its words: they are shown.
run() {
    CHANGES=$((CHANGES + 1))
    printf '   +'
    printf ' %q' "$@"
    printf '\n'
    dry || "$@"
}

# write_file PATH MODE [OWNER:GROUP] < content. Replaced as a whole and only when it differs; sets WRITTEN.
write_file() {
    local path=$1 mode=$2 owner=${3:-} content
    content=$(cat && printf x)
    content=${content%x}
    WRITTEN=no
    if [[ -f $path ]] && cmp -s <(printf %s "$content") "$path"; then
        if ! dry; then set_right "$path" "$mode" "$owner"; fi
        return
    fi
    WRITTEN=yes
    CHANGES=$((CHANGES + 1))
    printf '   ~ %s (%s%s)\n' "$path" "$mode" "${owner:+, $owner}"
    if dry; then
        show_file "$path" "$mode" "$content"
        return
    fi
    mkdir -p "$(dirname "$path")"
    # The name is private from its first byte on; the old file stays until the new one is complete.
    (umask 077 && printf %s "$content" >"$path.new")
    if [[ -n $owner ]]; then chown "$owner" "$path.new"; fi
    chmod "$mode" "$path.new"
    mv -f "$path.new" "$path"
}

# remember PATH...: what is there now, so that take_back can put it there again.
declare -A REMEMBERED=()
remember() {
    local path
    for path in "$@"; do
        REMEMBERED[$path]=
        if [[ -f $path ]]; then REMEMBERED[$path]=$(cat "$path" && printf x); fi
    done
}

# take_back PATH...: the files as they were when they were remembered. The next run finds them different and tries again.
take_back() {
    local path
    for path in "$@"; do
        if [[ -n ${REMEMBERED[$path]} ]]; then
            printf %s "${REMEMBERED[$path]%x}" >"$path"
        else
            rm -f "$path"
        fi
        printf '   ~ %s (zurückgenommen)\n' "$path"
    done
}

# What a rehearsal would write; files that others may not read are not shown.
show_file() {
    local path=$1 mode=$2 content=$3 before=/dev/null
    if [[ $mode != *[4567] ]]; then return; fi
    if [[ -f $path ]]; then before=$path; fi
    diff -u "$before" <(printf %s "$content") | sed -n '3,$p' | sed 's/^/     /' || true
}

# make_directory PATH MODE [OWNER:GROUP]
make_directory() {
    local path=$1 mode=$2 owner=${3:-}
    if [[ ! -d $path ]]; then run mkdir -p "$path"; fi
    dry && return
    set_right "$path" "$mode" "$owner"
}

# set_right PATH MODE OWNER:GROUP: what is there has what it should have; an empty owner stays as it is.
set_right() {
    if [[ $(stat -L -c %a "$1") != "$2" ]]; then run chmod "$2" "$1"; fi
    if [[ -n $3 && $(stat -L -c %U:%G "$1") != "$3" ]]; then run chown "$3" "$1"; fi
}

# 24 signs that need no quoting anywhere.
new_password() { openssl rand -base64 18 | tr '+/' '-_'; }

# random_file PATH: a password of its own in a private file, unless there is one.
random_file() {
    if [[ -s $1 ]]; then return; fi
    CHANGES=$((CHANGES + 1))
    printf '   ~ %s (600, zufällig)\n' "$1"
    dry && return
    (umask 077 && new_password >"$1.new" && mv "$1.new" "$1")
}

has_systemd() { [[ -d /run/systemd/system ]]; }

summary() {
    heading "Zusammenfassung"
    if ((CHANGES == 0)); then
        say "Alles war schon so: nichts geändert."
    elif dry; then
        say "Probelauf: $CHANGES Schritte würden getan, nichts wurde geändert."
    else
        say "$CHANGES Schritte getan."
    fi
    local point
    for point in ${LEFT[@]+"${LEFT[@]}"}; do
        printf '   – offen: %s\n' "$point"
    done
}
