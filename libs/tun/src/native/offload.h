// What a packet leaves to whoever takes it: the header in front of it (struct virtio_net_hdr, virtio 1.2 §5.1.6, in the byte order of
// the host), and how a TUN device is told what we can do ourselves.
#pragma once
#include <linux/if_tun.h>
#include <stdint.h>

namespace postern {

// <linux/virtio_net.h> is not C++.
struct OffloadHeader {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t header_size;   // a hint
    uint16_t segment_size;  // payload of each segment but the last
    uint16_t checksum_start, checksum_offset;
};
static_assert(sizeof(OffloadHeader) == 10);

constexpr uint8_t kNeedsChecksum = 1;
constexpr uint8_t kGsoNone = 0, kGsoTcp4 = 1, kGsoTcp6 = 4, kGsoUdp = 5, kGsoEcn = 0x80;
// Newer than the kernel headers of long-lived distributions: TUN_F_USO4, TUN_F_USO6.
constexpr unsigned kTunUso4 = 0x20, kTunUso6 = 0x40;

// What a device does, each including those before it; addon.ts has the same.
enum Offload : uint32_t {
    kNoOffload,    // bare packets
    kHeader,       // an OffloadHeader in front of each: super-packets can be written
    kChecksum,     // checksums of packets read are left to us
    kTcpSegments,  // super-packets of TCP are read
    kUdpSegments,  // and of UDP
};

constexpr unsigned tun_features(Offload offload) {
    unsigned features = 0;
    if (offload >= kChecksum) features |= TUN_F_CSUM;
    if (offload >= kTcpSegments) features |= TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    if (offload >= kUdpSegments) features |= kTunUso4 | kTunUso6;
    return features;
}

}  // namespace postern
