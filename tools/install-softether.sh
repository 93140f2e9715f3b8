#!/bin/bash
# Prints the directory with the programs of SoftEther VPN Server: another SSTP server, against which the interop
# harness proves that it can tell a working server from a broken one.  Fetches them once, from Debian's sid.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/private-apt.sh"

SOFTETHER=$CACHE/softether

if [ ! -e "$SOFTETHER/vpnserver" ]; then
    lock softether
    if [ ! -e "$SOFTETHER/vpnserver" ]; then
        make_scratch
        unpack_packages sid "$scratch/debian" softether-vpnserver softether-vpncmd softether-common ||
            die "sid's softether packages cannot be downloaded"
        mkdir "$scratch/softether"
        # The programs look for their resource file and keep their state beside themselves.
        mv "$scratch"/debian/usr/libexec/softether/vpn*/vpn* "$scratch/debian/usr/share/softether-common/hamcore.se2" "$scratch/softether/"
        rm -rf "$SOFTETHER"
        mv "$scratch/softether" "$SOFTETHER"
    fi
fi
printf '%s\n' "$SOFTETHER"
