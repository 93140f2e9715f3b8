// IP packets where they lie: RFC 791, RFC 8200, RFC 9293, RFC 768.  The same decisions as libs/ip takes.
#pragma once
#include "checksum.h"

namespace postern {

constexpr uint8_t kTcp = 6, kUdp = 17, kNoProtocol = 255;
constexpr uint32_t kIpv4Header = 20, kIpv6Header = 40, kTcpHeader = 20, kUdpHeader = 8;
constexpr uint8_t kFin = 0x01, kSyn = 0x02, kPsh = 0x08, kAck = 0x10, kCwr = 0x80;
// Extension headers looked through before the upper-layer header counts as not found.
constexpr int kMaxExtensionHeaders = 8;

struct IpPacket {
    uint32_t size = 0;       // that it gives itself
    uint32_t transport = 0;  // where the header behind the IP headers begins
    uint8_t version = 0;
    uint8_t protocol = kNoProtocol;  // none in a later fragment
    bool plain = false;              // no options, no extension headers, no fragment

    const uint8_t* addresses(const uint8_t* bytes) const { return bytes + (version == 4 ? 12 : 8); }
    uint32_t addresses_size() const { return version == 4 ? 8 : 32; }
};

inline bool read_ipv4(const uint8_t* bytes, size_t available, IpPacket& packet) {
    if (available < kIpv4Header) return false;
    uint32_t header = (bytes[0] & 15u) * 4, size = read_be16(bytes + 2), fragment = read_be16(bytes + 6);
    if (header < kIpv4Header || header > size || size > available) return false;
    packet = {size, header, 4, kNoProtocol, header == kIpv4Header && (fragment & 0x3fff) == 0};
    if ((fragment & 0x1fff) == 0) packet.protocol = bytes[9];
    return true;
}

// RFC 8200 §4; hop-by-hop, routing, fragment, authentication (RFC 4302 §2.2: the only one that counts words), destination options.
inline bool is_extension_header(uint8_t protocol) {
    return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 || protocol == 60;
}
inline uint32_t extension_header_size(uint8_t protocol, uint8_t length) {
    return protocol == 44 ? 8 : protocol == 51 ? (length + 2u) * 4 : (length + 1u) * 8;
}

inline bool read_ipv6(const uint8_t* bytes, size_t available, IpPacket& packet) {
    if (available < kIpv6Header) return false;
    uint32_t size = kIpv6Header + read_be16(bytes + 4);
    if (size > available) return false;
    packet = {size, kIpv6Header, 6, kNoProtocol, true};
    uint8_t protocol = bytes[6];
    for (int skipped = 0; is_extension_header(protocol); skipped += 1) {
        packet.plain = false;
        const uint8_t* header = bytes + packet.transport;
        if (skipped == kMaxExtensionHeaders || size - packet.transport < 8) return true;
        if (protocol == 44 && read_be16(header + 2) >> 3 != 0) return true;
        uint32_t header_size = extension_header_size(protocol, header[1]);
        if (size - packet.transport < header_size) return true;
        protocol = header[0];
        packet.transport += header_size;
    }
    packet.protocol = protocol;
    return true;
}

// False where the `available` bytes do not begin with a whole packet; what follows it is padding.
inline bool read_ip_packet(const uint8_t* bytes, size_t available, IpPacket& packet) {
    if (available == 0) return false;
    if (bytes[0] >> 4 == 4) return read_ipv4(bytes, available, packet);
    return bytes[0] >> 4 == 6 && read_ipv6(bytes, available, packet);
}

// Bytes of the TCP header of a packet whose protocol is TCP, or 0 where it is cut short.
inline uint32_t tcp_header_size(const uint8_t* bytes, const IpPacket& packet) {
    uint32_t room = packet.size - packet.transport;
    if (room < kTcpHeader) return 0;
    uint32_t size = (bytes[packet.transport + 12] >> 4) * 4u;
    return size < kTcpHeader || size > room ? 0 : size;
}

// The sum of the pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1) but for the length.
inline uint64_t pseudo_header_sum(const uint8_t* bytes, const IpPacket& packet) {
    return sum_of(packet.addresses(bytes), packet.addresses_size()) + as_word(packet.protocol);
}

// Whether the TCP or UDP checksum of a packet that is not a fragment is right.
inline bool verifies(const uint8_t* bytes, const IpPacket& packet) {
    uint32_t size = packet.size - packet.transport;
    return fold(pseudo_header_sum(bytes, packet) + as_word(uint16_t(size)) + sum_of(bytes + packet.transport, size)) == 0xffff;
}

inline void write_ipv4_checksum(uint8_t* bytes) {
    write_word(bytes + 10, 0);
    write_word(bytes + 10, complement(sum_of(bytes, (bytes[0] & 15) * 4)));
}

inline bool clamp_mss_value(uint8_t* tcp, uint32_t at, uint32_t limit) {
    if (read_be16(tcp + at) <= limit) return false;
    // At an odd offset the two bytes belong to two words; RFC 1071 §2 (B): their sum is that of the swapped value.
    uint16_t was = read_word(tcp + at);
    write_be16(tcp + at, uint16_t(limit));
    uint16_t is = read_word(tcp + at);
    if (at & 1) was = __builtin_bswap16(was), is = __builtin_bswap16(is);
    update_checksum(tcp + 16, was, is);
    return true;
}

// Lowers the MSS option of a SYN to what fits into `mtu` (68 at least); RFC 9293 §3.7.1.  Whether something was changed.
inline bool clamp_mss(uint8_t* bytes, const IpPacket& packet, uint32_t mtu) {
    if (packet.protocol != kTcp || packet.size - packet.transport < kTcpHeader) return false;
    uint8_t* tcp = bytes + packet.transport;
    if ((tcp[13] & kSyn) == 0) return false;
    uint32_t header = (tcp[12] >> 4) * 4u;
    uint32_t limit = mtu - (packet.version == 4 ? kIpv4Header : kIpv6Header) - kTcpHeader;
    if (header > packet.size - packet.transport) return false;
    bool changed = false;
    for (uint32_t at = kTcpHeader, size; at < header && tcp[at] != 0; at += size) {
        size = 1;
        if (tcp[at] == 1) continue;
        if (header - at < 2) break;
        size = tcp[at + 1];
        if (size < 2 || size > header - at) break;
        if (tcp[at] == 2 && size == 4 && clamp_mss_value(tcp, at + 2, limit)) changed = true;
    }
    return changed;
}

inline bool is_link_local_ipv6(const uint8_t* address) { return (read_be16(address) & 0xffc0) == 0xfe80; }

enum class Destiny { kForward, kLocal, kInvalid };

// Which packets of a client the kernel routes, which ones postern itself looks at (`kLocal`: broadcast, multicast, link-local, UDP
// to 67 and 547), and which are to an address that RFC 1122 §3.2.1.3 and RFC 4291 §2.5 keep off every network.
inline Destiny destiny_of(const uint8_t* bytes, const IpPacket& packet) {
    const uint8_t* source = packet.addresses(bytes);
    if (packet.version == 4) {
        uint32_t to = read_be32(source + 4);
        if (to == 0xffffffff || to >> 28 == 14) return Destiny::kLocal;
        if (to >> 24 == 0 || to >> 24 == 127 || to >> 28 == 15) return Destiny::kInvalid;
        if (to >> 16 == 0xa9fe || read_be16(source) == 0xa9fe) return Destiny::kLocal;
    } else {
        const uint8_t* to = source + 16;
        static const uint8_t zeros[15]{};
        if (to[0] == 0xff) return Destiny::kLocal;
        if (memcmp(to, zeros, sizeof zeros) == 0 && to[15] <= 1) return Destiny::kInvalid;
        if (is_link_local_ipv6(to) || is_link_local_ipv6(source)) return Destiny::kLocal;
    }
    bool for_dhcp = packet.protocol == kUdp && packet.size - packet.transport >= kUdpHeader &&
                    read_be16(bytes + packet.transport + 2) == (packet.version == 4 ? 67 : 547);
    return for_dhcp ? Destiny::kLocal : Destiny::kForward;
}

}  // namespace postern
