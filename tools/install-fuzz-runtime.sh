#!/bin/bash
# Prints the dynamic loader that the Node of a fuzzer has to be started with; nothing where the host's own will do.
#
# The fuzzer's engine is a compiled addon that needs glibc 2.38 and GCC 13's C++ library.  On an older host the three
# libraries come from Debian's next release, into .cache: a process started with their loader uses them, and nothing
# else on the host does.  Every package is checked against Debian's keys.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/private-apt.sh"

SUITE=trixie
RUNTIME=$CACHE/fuzz-runtime
NODE=$ROOT/node_modules/.bin/node

# loads [COMMAND...]: whether a Node started by COMMAND can load the engine.
loads() { (cd "$ROOT" && "$@" "$(readlink -f "$NODE")" -e 'require("@jazzer.js/core")') >/dev/null 2>&1; }

loader() { find "$1/usr/lib" -name 'ld-linux-*.so.*' -path '*-linux-gnu*' 2>/dev/null | head -n 1; }

loads_with() {
    local found
    found=$(loader "$1")
    [ -n "$found" ] && loads "$found" --library-path "$(dirname "$found")"
}

loads env && exit 0
if ! loads_with "$RUNTIME"; then
    lock fuzz-runtime
    # Another run may have installed it while this one waited.
    if ! loads_with "$RUNTIME"; then
        make_scratch
        unpack_packages "$SUITE" "$scratch/runtime" libc6 libstdc++6 libgcc-s1 ||
            die "the C libraries of $SUITE cannot be downloaded, and the host's are too old for the fuzzer"
        loads_with "$scratch/runtime" || die "the fuzzer's engine does not load with the C libraries of $SUITE either"
        rm -rf "$RUNTIME"
        mv "$scratch/runtime" "$RUNTIME"
    fi
fi
loader "$RUNTIME"
