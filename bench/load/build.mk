# The bench's one compiled program.
UDP_ECHO := .cache/bench/udp-echo
$(UDP_ECHO): bench/load/udp-echo.cc
	@mkdir -p $(@D)
	g++ -std=c++20 -O2 -Wall -Wextra -o $@ $<
