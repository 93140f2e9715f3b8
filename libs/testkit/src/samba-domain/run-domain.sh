#!/bin/bash
# run-domain.sh ROOT STATE REALM: founds a domain in the folder STATE and runs its controller.  ROOT is the folder that
# tools/make-domain-root.sh prints; nothing in it changes.  Standard input: its first users, as add-users.py takes them.
# STATE/tls has ca.pem, controller.pem and controller.key, for LDAPS.
#
# Runs in a mount, process and network namespace of its own: STATE is /run in it, where everything that Samba writes is.
set -euo pipefail
root=$1 state=$2 realm=$3

mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$state" "$root/run"
mkdir -p "$root/run/domain" "$root/run/samba" "$root/run/log"
mount --bind "$root/run/log" "$root/var/log/samba"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

# FreeRADIUS asks for what is MS-CHAPv2, which a domain refuses unless it is told otherwise.
chroot "$root" samba-tool domain provision --quiet --realm="$realm" --domain="${realm%%.*}" --server-role=dc \
    --dns-backend=SAMBA_INTERNAL --host-ip=127.0.0.1 --targetdir=/run/domain \
    --option="ntlm auth = mschapv2-and-ntlmv2-only" --option="dns update command = /bin/true" \
    --option="tls cafile = /run/tls/ca.pem" --option="tls certfile = /run/tls/controller.pem" \
    --option="tls keyfile = /run/tls/controller.key" \
    --option="ntp signd socket directory = /run/domain/ntp_signd" >&2
cat >"$root/run/add-users.py" <"$(dirname "${BASH_SOURCE[0]}")/add-users.py"
chroot "$root" python3 /run/add-users.py /run/domain/etc/smb.conf
exec chroot "$root" samba --interactive --debug-stdout --configfile=/run/domain/etc/smb.conf </dev/null
