#!/bin/bash
# Prints a folder with OpenLDAP's server, its modules and schemas, and what makes its database: bin/slapd, bin/slapadd.
#
# From Debian's trixie, into .cache, with the libraries that they need: started with their own loader they run on older hosts too,
# and nothing else on the host uses them.  Every package is checked against Debian's keys.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/private-apt.sh"

# Raised when the list changes: an older folder is then made anew.
RECIPE=1
SUITE=trixie
PACKAGES=(slapd libldap2 libsasl2-2 libargon2-1 libltdl7 libodbc2 libwrap0 libcrypt1 libc6 libssl3t64 libzstd1 zlib1g libnsl2 libtirpc3t64
    libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libcom-err2 libkeyutils1)
INSTALLED=$CACHE/slapd

# works FOLDER: the programs start.
works() {
    [ "$(cat "$1/.recipe" 2>/dev/null)" = "$RECIPE" ] && "$1/bin/slapd" -VV >/dev/null 2>&1
}

# wrap FOLDER NAME: bin/NAME is slapd under that name (slapd(8), -T), with the folder's own loader and libraries.
wrap() {
    local folder=$1 name=$2 loader
    loader=$(cd "$folder" && find usr/lib -name 'ld-linux-*.so.*' -path '*-linux-gnu*' | head -n 1)
    mkdir -p "$folder/bin"
    cat >"$folder/bin/$name" <<WRAPPER
#!/bin/sh
root=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
exec "\$root/$loader" --library-path "\$root/$(dirname "$loader"):\$root/usr/lib/ldap" --argv0 $name "\$root/usr/sbin/slapd" "\$@"
WRAPPER
    chmod 755 "$folder/bin/$name"
}

if ! works "$INSTALLED"; then
    lock slapd
    # Another run may have installed it while this one waited.
    if ! works "$INSTALLED"; then
        make_scratch
        say "installing slapd of $SUITE into .cache"
        unpack_packages "$SUITE" "$scratch/slapd" "${PACKAGES[@]}" || die "slapd of $SUITE cannot be downloaded"
        wrap "$scratch/slapd" slapd
        wrap "$scratch/slapd" slapadd
        printf '%s\n' "$RECIPE" >"$scratch/slapd/.recipe"
        works "$scratch/slapd" || die "slapd of $SUITE does not start"
        rm -rf "$INSTALLED"
        mv "$scratch/slapd" "$INSTALLED"
    fi
fi
printf '%s\n' "$INSTALLED"
