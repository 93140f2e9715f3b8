#!/bin/bash
# Prints a clang++ that can build fuzzers (-fsanitize=fuzzer), which the fuzzing of native code takes and nothing else.
#
# One that is there, from whatever source, is left alone.  What is missing comes from the host's own APT: Debian's default
# clang, and the runtime of its sanitizers, which is a package of its own.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/private-apt.sh"

# builds COMMAND: whether it is a clang++ that links a fuzzer.
builds() {
    command -v "$1" >/dev/null &&
        printf '#include <stddef.h>\nextern "C" int LLVMFuzzerTestOneInput(const char*, size_t) { return 0; }\n' |
        "$1" -x c++ -fsanitize=fuzzer,address,undefined -o "$scratch/fuzzer" - >"$scratch/compiler" 2>&1
}

# Debian's default version, which `clang` depends on.
default_version() { apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1; }

# Rather than to remove a package of the host that does not go with a new one, it fails.
install_version() {
    local version
    version=$(default_version)
    [ -n "$version" ] && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-remove --no-install-recommends -o DPkg::Lock::Timeout=300 \
        install clang "clang-$version" "libclang-rt-$version-dev" </dev/null >"$scratch/log" 2>&1
}

make_scratch
if ! builds clang++; then
    command -v apt-get >/dev/null || die "please install clang with its sanitizers (this host has no APT to do it with)"
    [ "$(id -u)" = 0 ] || die "please run as root: apt-get install clang, and the libclang-rt package of its version"
    lock packages
    # The lists of a fresh host are empty and those of an old one name files that are gone: then once more with new lists.
    builds clang++ || { say "installing clang" && install_version; } ||
        { apt-get -qq update >"$scratch/update" 2>&1 && install_version; } || {
        cat "$scratch/update" "$scratch/log" >&2 2>/dev/null || true
        die "APT could not install clang (its words are above)"
    }
    builds clang++ || {
        cat "$scratch/compiler" >&2
        die "clang is installed and builds no fuzzers"
    }
fi
command -v clang++
