# Sourced by the installers here: packages of another Debian suite than the host's, with an APT of our own.
#
# The mirror is the one that this host's APT is configured for, and so are proxies and credentials.  Lists and archives
# live in .cache/apt: nothing of the host's own APT state changes.  Signatures are always checked.  Dates are not: a
# mirror inside a company is often a snapshot, older than the two weeks for which an unstable Release file is valid.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=$ROOT/.cache
mkdir -p "$CACHE/apt" "$CACHE/locks"

say() { printf '%s\n' "$*" >&2; }
die() {
    say "$(basename "$0"): $*"
    exit 1
}

# Makes a scratch directory inside the cache (so that results can be renamed into place) and sets $scratch.
make_scratch() {
    scratch=$(mktemp -d "$CACHE/scratch.XXXXXX")
    trap 'rm -rf --one-file-system -- "$scratch"' EXIT
    trap 'exit 130' INT TERM
}

# lock NAME: waits until no other process holds NAME; the kernel releases it when this one ends.
lock() {
    exec 9>"$CACHE/locks/$1"
    flock 9
}

# The base address of the Debian archive that this host uses, whichever format its source lists have.
debian_mirror() {
    local codename
    codename=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-unknown}")
    apt-get indextargets --no-release-info --format '$(RELEASE) $(COMPONENT) $(SITE)' |
        awk -v codename="$codename" '
            $2 != "main" { next }
            $1 == codename { exact = exact == "" ? $3 : exact }
            $1 ~ /^(oldstable|stable|testing|unstable|sid)$/ { alias = alias == "" ? $3 : alias }
            END { print exact != "" ? exact : alias }'
}

# Debian's keys: the host's, or, where those are older than the suite, the newest that the host's own APT vouches for.
archive_keyring() {
    local newer=$CACHE/apt/keyring/usr/share/keyrings/debian-archive-keyring.gpg
    if [ -e "$newer" ]; then printf '%s\n' "$newer"; else printf '%s\n' /usr/share/keyrings/debian-archive-keyring.gpg; fi
}

# Fetches with the host's sources, but with lists of our own: those of a fresh host are empty.
fetch_newer_keyring() {
    local work
    work=$(mktemp -d "$CACHE/apt/keyring.XXXXXX")
    mkdir -p "$work/lists/partial" "$work/archives/partial"
    printf '%s\n' '#clear APT::Update::Post-Invoke;' '#clear APT::Update::Post-Invoke-Success;' \
        "Dir::State::Lists \"$work/lists\";" "Dir::Cache \"$work\";" 'APT::Sandbox::User "root";' >"$work/apt.conf"
    (cd "$work" && apt-get -qq -c "$work/apt.conf" update && apt-get -qq -c "$work/apt.conf" download debian-archive-keyring) &&
        dpkg-deb -x "$work"/debian-archive-keyring_*.deb "$work/root" && rm -rf "$CACHE/apt/keyring" && mv "$work/root" "$CACHE/apt/keyring"
    local status=$?
    rm -rf "$work"
    return "$status"
}

# private_apt SUITE COMMAND [ARGUMENT...]: an apt-get that knows only SUITE.
private_apt() {
    local suite=$1
    shift
    apt-get -qq -c "$CACHE/apt/$suite/apt.conf" "$@"
}

# Writes the private configuration of SUITE and fetches its lists.
private_apt_update() {
    local suite=$1 directory=$CACHE/apt/$1 mirror
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || return 1
    mkdir -p "$directory/lists/partial" "$directory/archives/partial"
    printf 'deb [signed-by=%s] %s %s main\n' "$(archive_keyring)" "$mirror" "$suite" >"$directory/sources.list"
    cat >"$directory/apt.conf" <<CONFIGURATION
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::Etc::sourcelist "$directory/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::Lists "$directory/lists";
Dir::Cache "$directory";
Dir::Cache::pkgcache "pkgcache.bin";
Acquire::Check-Valid-Until "false";
APT::Sandbox::User "root";
CONFIGURATION
    private_apt "$suite" update
}

# unpack_packages SUITE DIRECTORY PACKAGE...: their files (no dependencies, no maintainer scripts) under DIRECTORY.
unpack_packages() {
    local suite=$1 target=$2 archives archive
    shift 2
    archives=$(mktemp -d "$scratch/archives.XXXXXX")
    (
        # One at a time: two updates of the same lists would spoil each other.
        exec 8>"$CACHE/locks/apt-$suite"
        flock 8
        cd "$archives"
        [ -e "$CACHE/apt/$suite/apt.conf" ] && private_apt "$suite" download "$@" 2>/dev/null && exit 0
        # No lists yet, or lists that no longer match what the mirror holds, or keys too old to check them.
        private_apt_update "$suite" || { fetch_newer_keyring && private_apt_update "$suite"; } || exit 1
        private_apt "$suite" download "$@"
    ) || return 1
    for archive in "$archives"/*.deb; do
        dpkg-deb -x "$archive" "$target" || return 1
    done
}

# bootstrap SUITE DIRECTORY PACKAGES: a root with the packages (a list with commas) and what they depend on, by debootstrap, with the host's
# mirror, and with newer keys when the host's do not know the suite.
bootstrap() {
    local suite=$1 target=$2 packages=$3 mirror script= attempt
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || die "the host's APT knows no Debian archive to take $suite from"
    # An old debootstrap lacks a script for a new suite; all Debian suites since 2013 share sid's.
    [ -e "/usr/share/debootstrap/scripts/$suite" ] || script=sid
    for attempt in 1 2; do
        debootstrap --variant=minbase --keyring="$(archive_keyring)" --include="$packages" "$suite" "$target" "$mirror" $script \
            >"$scratch/debootstrap.log" 2>&1 && return 0
        [ "$attempt" = 1 ] && grep -qiE 'unknown key|no_pubkey|release signed by' "$scratch/debootstrap.log" || break
        fetch_newer_keyring || break
        rm -rf "$target"
    done
    tail -n 20 "$scratch/debootstrap.log" >&2
    die "debootstrap of $suite from $mirror failed (its last words are above)"
}
