#!/usr/bin/env bash
# Runs the second argument as root of a private copy of this machine, kept in memory: what it writes is gone afterwards.
# For test_whole_machine.py, under "unshare -mpnf". Arguments: a directory to mount on, a script, directories to show.
set -Eeuo pipefail
place=$1 script=$2
shift 2
mount -t tmpfs tmpfs "$place"
mkdir "$place"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
mount -t proc proc "$place/root/proc"
mount --rbind /dev "$place/root/dev"
mount -t tmpfs tmpfs "$place/root/run"
for shown in "$@"; do
    mkdir -p "$place/root$shown"
    mount --bind "$shown" "$place/root$shown"
done
install -d -o postgres -g postgres -m 2775 "$place/root/run/postgresql"
cp "$script" "$place/root/script.sh"
exec chroot "$place/root" bash /script.sh
