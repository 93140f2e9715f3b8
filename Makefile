# `make start` runs postern on this host, `make test` runs everything that CI runs; both install what they need first.
# `make check` is the gate: types, format, lint, unused code, architecture, unit tests, in this order.
SHELL := /bin/bash
BIN := node_modules/.bin
NODE := $(BIN)/node
INSTALLED := node_modules/.package-lock.json
PACKAGE_FILES := package.json $(wildcard libs/*/package.json services/*/package.json)

.PHONY: start test test-long peers check types format lint unused architecture unit e2e interop outage transfer flood chaos chaos-brief endurance soak fuzz fuzz-native fuzz-brief bench fix

# Not `npm ci`: it refuses a lock without the optional binaries of platforms that a registry's mirror does not have.
$(INSTALLED): package-lock.json $(PACKAGE_FILES)
	npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

include libs/tun/build.mk libs/tcp/build.mk bench/load/build.mk
# Elsewhere than on Linux there is no TUN device to drive, and no TCP_INFO.
ADDON := $(if $(filter Linux,$(shell uname -s)),$(TUN_ADDON) $(TCP_ADDON))
NATIVE_TESTS := $(if $(ADDON),$(TUN_TEST_PROGRAMS))

# Programs that cannot be installed here are named, and the launcher does without them where it can.
start: $(INSTALLED) $(ADDON)
	@tools/install-packages.sh start || true
	@exec $(NODE) libs/launcher/src/main.ts

check: types format lint unused architecture unit

types: $(INSTALLED)
	$(BIN)/tsc -p tsconfig.json
	$(BIN)/tsc -p tsconfig.pure.json

format: $(INSTALLED)
	$(BIN)/oxfmt --check .

lint: $(INSTALLED)
	$(BIN)/oxlint --type-aware --deny-warnings .

unused: $(INSTALLED)
	$(BIN)/knip --no-config-hints

architecture: $(INSTALLED)
	$(NODE) --test 'test/architecture/*.test.ts'

unit: $(INSTALLED) $(ADDON) $(NATIVE_TESTS) peers
	$(NODE) --test --test-concurrency=2 'libs/*/test/**/*.test.ts' 'services/*/test/**/*.test.ts' 'bench/test/**/*.test.ts' test/fuzz/replay.test.ts

# Quick parts first; every part ends with the test runner's closing lines.
test: $(INSTALLED) $(ADDON) peers
	$(MAKE) check
	$(MAKE) e2e
	$(MAKE) interop
	$(MAKE) chaos-brief
	$(MAKE) outage
	$(MAKE) fuzz-brief

# Everything that shows whether a release holds, but the hour-long runs: an hour and a half, on a host without other work.
test-long: test
	$(MAKE) transfer
	$(MAKE) flood
	$(MAKE) chaos
	$(MAKE) endurance

# Programs that tests run against, from the host's packages or newer ones beside it in .cache.
peers:
	@tools/install-packages.sh test
	@tools/install-nats-server.sh >/dev/null
	@tools/install-freeradius.sh >/dev/null
	@tools/make-domain-root.sh >/dev/null

# Devices, routes and firewall rules of these installations are in a network namespace that ends with the tests.
ISOLATED := unshare --net --mount sh -c 'ip link set lo up && exec $(NODE) --test --test-concurrency=1 "$$@"' sh
e2e: $(INSTALLED) $(ADDON) peers
	$(ISOLATED) "test/e2e/*.test.ts"

interop: $(INSTALLED) $(ADDON) peers
	@tools/make-client-root.sh >/dev/null
	$(NODE) --test --test-concurrency=1 'test/interop/*.test.ts'

# NATS away or without its store, full disks, a clock that jumps.
outage: $(INSTALLED) $(ADDON) peers
	$(ISOLATED) "test/outage/*.test.ts"

# A gigabyte each way, with a checksum, over wires that lose packets: about 5 minutes.
transfer: $(INSTALLED) $(ADDON) peers
	$(NODE) --test --test-concurrency=1 'test/transfer/*.test.ts'

flood: $(INSTALLED) $(ADDON) peers
	$(ISOLATED) "test/flood/*.test.ts"

# Every fault under 500 sessions with traffic, in one table: about 20 minutes.
chaos: $(INSTALLED) $(ADDON) peers
	$(ISOLATED) test/chaos/chaos.test.ts

# 2,000 sessions on one worker, 20,000 leases, 10,000 clients that come and go: about 20 minutes.
endurance: $(INSTALLED) $(ADDON) peers
	$(ISOLATED) test/chaos/capacity.test.ts test/chaos/leases.test.ts test/chaos/leaks.test.ts

# The faults that every run of the tests has.
chaos-brief: $(INSTALLED) $(ADDON) peers
	CHAOS=brief $(ISOLATED) test/chaos/chaos.test.ts

# Random kills; SOAK_SECONDS (3600) and SOAK_CLIENTS (100).
soak: $(INSTALLED) $(ADDON) peers
	unshare --net sh -c 'ip link set lo up && exec $(NODE) test/chaos/soak-main.ts'

# FUZZ_SECONDS (3600) for each decoder of peers' bytes, two at a time.
fuzz: $(INSTALLED) $(ADDON)
	@tools/install-fuzz-runtime.sh >/dev/null
	FUZZ_SECONDS=$${FUZZ_SECONDS:-3600} $(NODE) --test test/fuzz/fuzzing.test.ts

# The same for what the addon does with packets, with clang's libFuzzer and sanitizers, one function at a time.
fuzz-native: $(INSTALLED) $(NATIVE_TESTS)
	@tools/install-clang.sh >/dev/null
	@$(MAKE) --no-print-directory $(TUN_FUZZERS)
	FUZZ_SECONDS=$${FUZZ_SECONDS:-3600} $(NODE) --test libs/tun/test/native/fuzzing-main.ts

# A minute for each decoder, and whether the fuzzers find what is planted for them; 20 seconds for each native function.
fuzz-brief: $(INSTALLED) $(ADDON)
	@tools/install-fuzz-runtime.sh >/dev/null
	FUZZ_SECONDS=$${FUZZ_SECONDS:-60} $(NODE) --test --test-concurrency=1 test/fuzz/planted-defects.test.ts test/fuzz/fuzzing.test.ts
	FUZZ_SECONDS=20 $(MAKE) --no-print-directory fuzz-native

# Everything side by side with its peers, 40 minutes; BENCH=brief for a try, BENCH_ROWS=1,4 for some rows.  Wants a host without other
# work.  Writes bench/results/ and docs/benchmarks.md.
bench: $(INSTALLED) $(ADDON) $(UDP_ECHO) peers
	@tools/install-packages.sh bench
	$(NODE) bench/main.ts

fix: $(INSTALLED)
	$(BIN)/oxfmt --write .
	$(BIN)/oxlint --type-aware --fix .
