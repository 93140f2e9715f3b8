// What both sides know of a session: rules that TypeScript compiles and counters that it reads, in memory that both share.
// session-memory.ts has the same layout.
#pragma once
#include <stdint.h>

namespace postern {

// Why a packet did not pass.
enum Drop { kGateClosed, kMalformed, kForeignSource, kNotRouted, kTooBig, kQueueFull, kDrops };

constexpr uint32_t kIpv4Open = 1, kIpv6Open = 2;
// What a client of ours has: the server may send from any address.
constexpr uint32_t kAnySource = 4;

struct Session {
    uint32_t flags;
    uint32_t ipv4;     // the only IPv4 source, as it lies in a packet
    uint32_t ipv6[2];  // the /64 of its IPv6 sources
    uint32_t largest;  // packet that the device and the peer take
    uint32_t reserved[3];
    double packets_in, bytes_in;    // from the peer, passed
    double packets_out, bytes_out;  // to the peer, passed
    double dropped_in, dropped_out;
    double drops[kDrops];

    void drop_in(Drop reason, uint32_t packets = 1) {
        dropped_in += packets;
        drops[reason] += packets;
    }
    void drop_out(Drop reason, uint32_t packets = 1) {
        dropped_out += packets;
        drops[reason] += packets;
    }
};
static_assert(sizeof(Session) == 128);

}  // namespace postern
