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
# said which may start (invoke-rc.d(8)), none may until the installation is over; what a killed run has left says nothing.
POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='# For the time of an installation by install-packages.sh of postern.'
start_no_daemons() {
    if [ -e "$POLICY" ] && ! grep -qxF "$POLICY_MARK" "$POLICY"; then return; fi
    trap 'rm -f -- "$POLICY"; rm -rf --one-file-system -- "$scratch"' EXIT
    printf '%s\n' '#!/bin/sh' "$POLICY_MARK" 'exit 101' >"$POLICY"
    chmod 755 "$POLICY"
}

# Nor may they when the host starts the next time.
SERVERS=" ocserv "
disable_servers() {
    local package
    for package in "$@"; do
        case $SERVERS in *" $package "*) update-rc.d "$package" disable ;; esac
    done
}

# Answers no question: debconf takes its defaults (tshark's: only root captures).  Rather than to remove a package of the
# host that does not go with a new one, it fails.
install_missing() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-remove --no-install-recommends -o DPkg::Lock::Timeout=300 \
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
new=("${packages[@]}")
say "installing ${packages[*]}"
# The lists of a fresh host are empty and those of an old one name files that are gone: then once more with new lists.
install_missing || { apt-get -qq update >"$scratch/update" 2>&1 && install_missing; } || {
    cat "$scratch/update" "$scratch/log" >&2 2>/dev/null || true
    die "APT could not install ${packages[*]} (its words are above); without network, install them by other means: ${programs[*]}"
}
disable_servers "${new[@]}"
find_missing
[ ${#programs[@]} -eq 0 ] || die "still missing after the installation: ${programs[*]}"
