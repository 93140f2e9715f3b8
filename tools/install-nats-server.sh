#!/bin/bash
# Prints the path of a nats-server that is new enough, and gets one when the host has none.
#
# 2.11 is the first with per-key TTL in KV buckets; older servers ignore the setting without a word.  In order:
# the one on PATH; the one that an earlier run left in .cache; Debian's newest; the project's own release archive.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/private-apt.sh"

MINIMUM=2.11.0
RELEASE=2.12.1
CACHED=$CACHE/nats-server/nats-server

# new_enough PROGRAM: its version, as it says itself, is MINIMUM or later.
new_enough() {
    local version
    version=$("$1" --version 2>/dev/null | sed -n 's/^nats-server: v\([0-9.]*\).*/\1/p') || return 1
    [ -n "$version" ] && [ "$(printf '%s\n' "$MINIMUM" "$version" | sort -V | head -n 1)" = "$MINIMUM" ]
}

# keep PROGRAM: puts it into the cache in one step.
keep() {
    new_enough "$1" || return 1
    chmod 755 "$1"
    mkdir -p "$CACHE/nats-server"
    mv -f "$1" "$CACHED"
}

from_debian() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    unpack_packages sid "$scratch/debian" nats-server || return 1
    keep "$scratch/debian/usr/sbin/nats-server"
}

# Node is always there (this project runs on it); curl and wget may not be.
fetch() {
    node -e '
        const [url, file] = process.argv.slice(1);
        fetch(url, { signal: AbortSignal.timeout(300_000) }).then(async (response) => {
            if (!response.ok) throw new Error(`HTTP ${response.status}`);
            require("node:fs").writeFileSync(file, Buffer.from(await response.arrayBuffer()));
        }).catch((error) => { console.error(`${url}: ${error.cause?.message ?? error.message}`); process.exit(1); });
    ' "$1" "$2"
}

from_release() {
    local architecture base archive
    case $(uname -s)-$(uname -m) in
        Linux-x86_64) architecture=linux-amd64 ;;
        Linux-aarch64) architecture=linux-arm64 ;;
        *) say "no release archive for $(uname -s) $(uname -m)" && return 1 ;;
    esac
    base=https://github.com/nats-io/nats-server/releases/download/v$RELEASE
    archive=nats-server-v$RELEASE-$architecture.tar.gz
    mkdir -p "$scratch/release"
    fetch "$base/SHA256SUMS" "$scratch/release/SHA256SUMS" && fetch "$base/$archive" "$scratch/release/$archive" || return 1
    (cd "$scratch/release" && grep -F "  $archive" SHA256SUMS | sha256sum --check --quiet --strict && tar -xzf "$archive") || return 1
    keep "$scratch/release/${archive%.tar.gz}/nats-server"
}

on_path=$(command -v nats-server || true)
if [ -n "$on_path" ] && new_enough "$on_path"; then
    printf '%s\n' "$on_path"
    exit 0
fi
if ! new_enough "$CACHED"; then
    lock nats-server
    # Another run may have installed it while this one waited.
    if ! new_enough "$CACHED"; then
        make_scratch
        from_debian || from_release ||
            die "no nats-server >= $MINIMUM: not on PATH, and neither Debian's archive nor the release page can be reached; put one on PATH"
    fi
fi
printf '%s\n' "$CACHED"
