#!/bin/bash
# Prints the path of a root directory in which a real SSTP client runs; builds it when it is not there.
#
# The client (Debian's sstp-client with pppd) needs a kernel with PPP, which hosts and containers often lack.  So the
# root also holds User Mode Linux: a Linux kernel, with its modules, that runs as a process.  The distribution is
# trixie; the kernel comes from sid, because older builds crash on CPUs with AMX.  test/interop runs it, read-only.
#
# Every package is checked against Debian's keys, through APT's and debootstrap's own verification.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/private-apt.sh"

# Raised when the recipe changes: an older root is then built anew.
RECIPE=3
SUITE=trixie
PACKAGES=ppp,sstp-client,iproute2,iputils-ping,iperf3,kmod,procps,curl,openssl,ca-certificates
CLIENT_ROOT=$CACHE/client-root

ready() { [ "$(cat "$CLIENT_ROOT/.recipe" 2>/dev/null)" = "$RECIPE" ]; }

# install_kernel DIRECTORY: User Mode Linux and those of its modules that a client can use.
install_kernel() {
    local unpacked=$scratch/uml version modules directory
    unpack_packages sid "$unpacked" user-mode-linux || die "sid's user-mode-linux cannot be downloaded"
    install -m 755 "$unpacked/usr/bin/linux.uml" "$1/usr/bin/linux.uml"
    version=$(ls "$unpacked/usr/lib/uml/modules")
    modules=$1/usr/lib/modules/$version
    mkdir -p "$modules/kernel/drivers/net"
    cp -a "$unpacked/usr/lib/uml/modules/$version"/modules.{order,builtin,builtin.modinfo} "$modules/"
    for directory in lib crypto drivers/net/ppp drivers/net/slip net/netfilter net/ipv4 net/ipv6 net/sched; do
        [ -d "$unpacked/usr/lib/uml/modules/$version/kernel/$directory" ] || continue
        mkdir -p "$modules/kernel/$(dirname "$directory")"
        cp -a "$unpacked/usr/lib/uml/modules/$version/kernel/$directory" "$modules/kernel/$directory"
    done
    chroot "$1" depmod "$version"
}

if ! ready; then
    [ "$(id -u)" = 0 ] || die "must run as root: it makes device nodes and uses chroot"
    PATH=$PATH:/usr/sbin:/sbin
    command -v debootstrap >/dev/null || die "debootstrap is missing: run tools/install-packages.sh test"
    lock client-root
    if ! ready; then
        make_scratch
        say "building the root of the real SSTP client (once, about a minute)"
        bootstrap "$SUITE" "$scratch/root" "$PACKAGES"
        install_kernel "$scratch/root"
        rm -rf "$scratch/root/var/cache/apt" "$scratch/root/var/lib/apt/lists"
        # The guest mounts a file of its own over this one.
        printf '127.0.0.1 localhost\n::1 localhost\n' >"$scratch/root/etc/hosts"
        printf '%s\n' "$RECIPE" >"$scratch/root/.recipe"
        rm -rf "$CLIENT_ROOT"
        mv "$scratch/root" "$CLIENT_ROOT"
    fi
fi
printf '%s\n' "$CLIENT_ROOT"
