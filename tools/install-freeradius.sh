#!/bin/bash
# Prints a folder with FreeRADIUS, its modules and dictionaries, its client, and a proxy for RADIUS over TLS: bin/freeradius, bin/radclient, bin/radsecproxy.
#
# From Debian's trixie, into .cache: the first release whose FreeRADIUS (3.2.7) has the fix for BlastRADIUS (CVE-2024-3596).
# It comes with the libraries that it and the modules in use need, and is started with their loader, so that it runs on older hosts too; nothing else
# on the host uses them.  Every package is checked against Debian's keys.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/private-apt.sh"

# Raised when the list changes: an older folder is then made anew.
RECIPE=2
SUITE=trixie
PACKAGES=(freeradius freeradius-common freeradius-utils libfreeradius3
    libc6 libssl3t64 libtalloc2 libcrypt1 libwbclient0 libsystemd0 libcap2 libpcap0.8t64 libdbus-1-3
    radsecproxy libnettle8t64 libgcrypt20 libgpg-error0 libzstd1 liblzma5 liblz4-1 zlib1g libbsd0 libmd0)
INSTALLED=$CACHE/freeradius

# works FOLDER: the programs start.
works() {
    [ "$(cat "$1/.recipe" 2>/dev/null)" = "$RECIPE" ] && "$1/bin/freeradius" -v >/dev/null 2>&1 && "$1/bin/radclient" -v >/dev/null 2>&1 &&
        "$1/bin/radsecproxy" -v >/dev/null 2>&1
}

# wrap FOLDER NAME PROGRAM [ARGUMENT...]: bin/NAME starts PROGRAM of the folder with the folder's own loader and libraries.
wrap() {
    local folder=$1 name=$2 program=$3 loader
    shift 3
    loader=$(cd "$folder" && find usr/lib -name 'ld-linux-*.so.*' -path '*-linux-gnu*' | head -n 1)
    mkdir -p "$folder/bin"
    cat >"$folder/bin/$name" <<WRAPPER
#!/bin/sh
root=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
exec "\$root/$loader" --library-path "\$root/$(dirname "$loader"):\$root/usr/lib/freeradius" "\$root/$program" $* "\$@"
WRAPPER
    chmod 755 "$folder/bin/$name"
}

if ! works "$INSTALLED"; then
    lock freeradius
    # Another run may have installed it while this one waited.
    if ! works "$INSTALLED"; then
        make_scratch
        say "installing FreeRADIUS of $SUITE into .cache"
        unpack_packages "$SUITE" "$scratch/freeradius" "${PACKAGES[@]}" || die "FreeRADIUS of $SUITE cannot be downloaded"
        wrap "$scratch/freeradius" freeradius usr/sbin/freeradius -D '"$root/usr/share/freeradius"'
        wrap "$scratch/freeradius" radsecproxy usr/sbin/radsecproxy
        wrap "$scratch/freeradius" radclient usr/bin/radclient -D '"$root/usr/share/freeradius"'
        printf '%s\n' "$RECIPE" >"$scratch/freeradius/.recipe"
        works "$scratch/freeradius" || die "FreeRADIUS of $SUITE does not start"
        rm -rf "$INSTALLED"
        mv "$scratch/freeradius" "$INSTALLED"
    fi
fi
printf '%s\n' "$INSTALLED"
