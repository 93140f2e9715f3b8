# The native addon.  The root Makefile includes this file and lets its targets depend on $(TUN_ADDON); by itself it works too:
# `make -f libs/tun/build.mk`.  Headers are those of the Node that the project brings along; the linker replaces the output
# file and does not write into it, so that a running process keeps the binary that it loaded.
TUN_ADDON := libs/tun/build/tun.node
NODE_HEADERS := node_modules/node-linux-$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)/include/node

$(TUN_ADDON): libs/tun/src/tun.cc $(wildcard libs/tun/src/native/*.h) libs/tun/build.mk | $(INSTALLED)
	@mkdir -p $(@D)
	g++ -std=c++20 -O2 -Wall -Wextra -fPIC -shared -I $(NODE_HEADERS) -o $@ $<
