#!/bin/bash
# launch.sh ROOT SCRIPTS EXCHANGE TAP ADDRESS IPV6 MEMORY: boots User Mode Linux on the directory ROOT.
#
# Runs in a mount and a process namespace of its own: its mounts vanish and its helper processes die with it.  ROOT is
# read-only, whatever the guest does.  SCRIPTS appears in it as /opt (read-only), EXCHANGE as /mnt (writable).
set -euo pipefail
root=$1 scripts=$2 exchange=$3 tap=$4 address=$5 ipv6=$6 memory=$7

mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$scripts" "$root/opt"
mount -o remount,bind,ro "$root/opt"
mount --bind "$exchange" "$root/mnt"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
# The kernel keeps the guest's memory in an unlinked file here.
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

# The guest's root is mounted for writing, because /mnt is part of it.  `uml_dir` has a writable default only outside
# a read-only root.
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin TMPDIR=/tmp linux.uml \
    uml_dir=/tmp/ umid=guest "mem=${memory}M" root=/dev/root rootfstype=hostfs rootflags=/ rw init=/opt/init.sh \
    "vec0:transport=tap,ifname=$tap,depth=64,gro=1" con=null con0=null,fd:1 quiet panic=-1 -- "$address" "$ipv6"
