# The native addon for TCP sockets, in the manner of libs/tun/build.mk: `make -f libs/tcp/build.mk` works by itself too.
TCP_ADDON := libs/tcp/build/tcp.node
NODE_HEADERS := node_modules/node-linux-$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)/include/node

$(TCP_ADDON): libs/tcp/src/tcp.cc libs/tcp/build.mk | $(INSTALLED)
	@mkdir -p $(@D)
	g++ -std=c++20 -O2 -Wall -Wextra -fPIC -shared -I $(NODE_HEADERS) -o $@ $<
