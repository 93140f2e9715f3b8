# The native addon.  The root Makefile includes this file and lets its targets depend on $(TUN_ADDON); by itself it works too:
# `make -f libs/tun/build.mk`.  Headers are those of the Node that the project brings along; the linker replaces the output
# file and does not write into it, so that a running process keeps the binary that it loaded.
TUN_ADDON := libs/tun/build/tun.node
# For tests: the same packet functions by themselves, for Node and under the sanitizers.
TUN_TEST_PROGRAMS := libs/tun/build/packet-functions.node libs/tun/build/sanitized-cases
NODE_HEADERS := node_modules/node-linux-$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)/include/node
TUN_NATIVE := $(wildcard libs/tun/src/native/*.h) libs/tun/build.mk
TUN_COMPILE := g++ -std=c++20 -Wall -Wextra

$(TUN_ADDON): libs/tun/src/tun.cc $(TUN_NATIVE) | $(INSTALLED)
	@mkdir -p $(@D)
	$(TUN_COMPILE) -O2 -fPIC -shared -I $(NODE_HEADERS) -o $@ $<

libs/tun/build/packet-functions.node: libs/tun/test/native/packet-functions.cc libs/tun/test/native/cases.h $(TUN_NATIVE) | $(INSTALLED)
	@mkdir -p $(@D)
	$(TUN_COMPILE) -O2 -fPIC -shared -I $(NODE_HEADERS) -o $@ $<

libs/tun/build/sanitized-cases: libs/tun/test/native/sanitized-cases.cc $(wildcard libs/tun/test/native/*.h) $(TUN_NATIVE)
	@mkdir -p $(@D)
	$(TUN_COMPILE) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -o $@ $<

# Fuzzers take clang (tools/install-clang.sh).
TUN_FUZZERS := $(patsubst %,libs/tun/build/fuzz-%,split take device)
libs/tun/build/fuzz-%: libs/tun/test/native/fuzzer.cc $(wildcard libs/tun/test/native/*.h) $(TUN_NATIVE)
	@mkdir -p $(@D)
	clang++ -std=c++20 -Wall -Wextra -O1 -g -DFUZZED=$* -DPOSTERN_SANITIZED -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $<
