#!/bin/bash
# install-packages.sh PURPOSE...: makes sure that the host has the programs for `start`, `test` or `bench`.
#
# A program that is there, from whatever source, is left alone, and then neither APT nor the network is used.  What is
# missing comes from the host's own APT; without APT, or offline, the message says which programs to install.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/private-apt.sh"

# program:package
START=(nft:nftables ip:iproute2)
TEST=("${START[@]}" debootstrap:debootstrap tshark:tshark dumpcap:wireshark-common ping:iputils-ping curl:curl openssl:openssl faketime:faketime)
BENCH=("${START[@]}" ocserv:ocserv openconnect:openconnect iperf3:iperf3 ping:iputils-ping)

[ $# -gt 0 ] || die "usage: $(basename "$0") start|test|bench ..."
wanted=()
for purpose in "$@"; do
    case $purpose in
        start) wanted+=("${START[@]}") ;;
        test) wanted+=("${TEST[@]}") ;;
        bench) wanted+=("${BENCH[@]}") ;;
        *) die "unknown purpose: $purpose (start, test, bench)" ;;
    esac
done

# Sets $programs and $packages to what is missing.  Some programs live in /usr/sbin, which users do not have on PATH.
PATH=$PATH:/usr/sbin:/sbin
find_missing() {
    programs=() packages=()
    local entry
    for entry in $(printf '%s\n' "${wanted[@]}" | sort -u); do
        command -v "${entry%%:*}" >/dev/null && continue
        programs+=("${entry%%:*}")
        packages+=("${entry#*:}")
    done
}

# Servers that come with a package are for us to start, not for the host: they would take its port 443.  Where nobody has
# said which may start (invoke-rc.d(8)), none may until the installation is over.
POLICY=/usr/sbin/policy-rc.d
start_no_daemons() {
    [ -e "$POLICY" ] && return
    trap 'rm -f -- "$POLICY"; rm -rf --one-file-system -- "$scratch"' EXIT
    printf '%s\n' '#!/bin/sh' 'exit 101' >"$POLICY"
    chmod 755 "$POLICY"
}

# Answers no question: debconf takes its defaults (tshark's: only root captures).
install_missing() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 \
        install "${packages[@]}" </dev/null >"$scratch/log" 2>&1
}

find_missing
[ ${#programs[@]} -gt 0 ] || exit 0
command -v apt-get >/dev/null || die "please install: ${programs[*]} (this host has no APT to do it with)"
[ "$(id -u)" = 0 ] || die "please run as root: apt-get install ${packages[*]}"

lock packages
find_missing
[ ${#programs[@]} -gt 0 ] || exit 0
make_scratch
start_no_daemons
say "installing ${packages[*]}"
# The lists of a fresh host are empty and those of an old one name files that are gone: then once more with new lists.
install_missing || { apt-get -qq update >"$scratch/update" 2>&1 && install_missing; } || {
    cat "$scratch/update" "$scratch/log" >&2 2>/dev/null || true
    die "APT could not install ${packages[*]} (its words are above); without network, install them by other means: ${programs[*]}"
}
find_missing
[ ${#programs[@]} -eq 0 ] || die "still missing after the installation: ${programs[*]}"
