#!/bin/bash
# init.sh ADDRESS IPV6: the first process of the guest.  It runs what the test puts into the exchange directory /mnt:
# request.N is a script; its output goes to stdout.N and stderr.N, and its exit status, when it ends, to status.N.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
umask 022

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
for directory in /run /tmp /root /var/log; do mount -t tmpfs -o mode=755 tmpfs "$directory"; done
chmod 1777 /tmp
mkdir -p /run/pppd/lock /run/lock
# pppd writes its resolver file and reads its secrets here.
mount -t tmpfs -o mode=755 tmpfs /etc/ppp
cp -r /opt/ppp/. /etc/ppp/
chmod 755 /etc/ppp/ip-up /etc/ppp/ipv6-up
cp /etc/hosts /run/hosts
mount --bind /run/hosts /etc/hosts

modprobe -a ppp_generic ppp_async ppp_synctty sch_netem

ip link set lo up
ip address add "$1/24" dev vec0
ip address add "$2/64" dev vec0 nodad
ip link set vec0 up
# What the guest sends is 10 ms on its way, as on a real path.  sstpc 1.0.20 needs it: when the server's answer to its TLS 1.3
# ClientHello is there before its first read, its handshake and request are done within one call, for which it then calls no
# completion, so it never reads the response (a server in the same machine is fast enough for that, one behind a link is not).
tc qdisc add dev vec0 root netem delay 10ms limit 10000

# run N: one request, from its start to its status file, which appears complete.
run() {
    /bin/bash "/mnt/request.$1" >"/mnt/stdout.$1" 2>"/mnt/stderr.$1" </dev/null &
    echo "$!" >"/mnt/pid.$1"
    wait "$!"
    echo "$?" >"/mnt/.status.$1"
    mv "/mnt/.status.$1" "/mnt/status.$1"
}

mkfifo /run/never
exec 9<>/run/never
: >/mnt/ready
number=1
until [ -e /mnt/power-off ]; do
    if [ -e "/mnt/request.$number" ]; then
        run "$number" &
        number=$((number + 1))
    else
        # A pause without a process: forking is what costs in this kernel.
        read -r -t 0.03 -u 9
    fi
done
echo o >/proc/sysrq-trigger
sleep 10
