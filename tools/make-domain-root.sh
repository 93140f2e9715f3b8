#!/bin/bash
# Prints the path of a root directory in which an Active Directory domain controller runs (Samba's); builds it when it is not there.
#
# Samba takes a hundred packages, Python among them, and registers users and services: so it gets a root of its own, like the real
# client.  Every package is checked against Debian's keys, through debootstrap's own verification.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/private-apt.sh"

# Raised when the recipe changes: an older root is then built anew.
RECIPE=1
SUITE=trixie
# debootstrap does not find what is only provided: so python3-cffi-backend is named.
PACKAGES=samba,samba-ad-dc,samba-ad-provision,samba-dsdb-modules,winbind,python3-samba,python3-cffi-backend,python3-dnspython
DOMAIN_ROOT=$CACHE/domain-root

ready() { [ "$(cat "$DOMAIN_ROOT/.recipe" 2>/dev/null)" = "$RECIPE" ]; }

if ! ready; then
    [ "$(id -u)" = 0 ] || die "must run as root: it makes device nodes and uses chroot"
    PATH=$PATH:/usr/sbin:/sbin
    command -v debootstrap >/dev/null || die "debootstrap is missing: run tools/install-packages.sh test"
    lock domain-root
    if ! ready; then
        make_scratch
        say "building the root of the domain controller (once, about a minute)"
        bootstrap "$SUITE" "$scratch/root" "$PACKAGES"
        [ -x "$scratch/root/usr/sbin/samba" ] || die "the root has no samba"
        rm -rf "$scratch/root/var/cache/apt" "$scratch/root/var/lib/apt/lists"
        printf '127.0.0.1 localhost\n' >"$scratch/root/etc/hosts"
        printf '%s\n' "$RECIPE" >"$scratch/root/.recipe"
        rm -rf "$DOMAIN_ROOT"
        mv "$scratch/root" "$DOMAIN_ROOT"
    fi
fi
printf '%s\n' "$DOMAIN_ROOT"
