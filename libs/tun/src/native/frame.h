// One IP packet in an SSTP data packet.
//   [MS-SSTP] 2.2.1   version:8 = 0x10 | reserved:7, C:1 | reserved:4, length:12 (counts the header)
//   RFC 1661 §2       address:8 = ff | control:8 = 03 | protocol:16 | packet
// Address and control may be absent, and so may the first byte of the protocol (RFC 1661 §6.5, §6.6): all shapes are read, the long
// one is written, because Open SSTP accepts nothing else.
#pragma once
#include "ip-packet.h"

namespace postern {

constexpr uint32_t kSstpHeader = 4, kFrameHeader = 8, kMaxFrame = 0x0fff;

inline void write_frame_header(uint8_t* out, uint32_t packet_size, uint8_t version) {
    write_be16(out, 0x1000);
    write_be16(out + 2, uint16_t(kFrameHeader + packet_size));
    write_be16(out + 4, 0xff03);
    write_be16(out + 6, version == 4 ? 0x0021 : 0x0057);
}

struct Frame {
    uint32_t size = 0;     // of the SSTP packet
    uint32_t payload = 0;  // where the IP packet begins
    uint8_t version = 0;   // of it, as PPP says
};

// False where there is anything else than one whole data packet with an IP packet: TypeScript looks at that.
inline bool read_frame(const uint8_t* bytes, size_t available, Frame& frame) {
    if (available < kSstpHeader || bytes[0] != 0x10 || (bytes[1] & 1) != 0) return false;
    frame.size = read_be16(bytes + 2) & 0x0fff;
    if (frame.size < kSstpHeader || frame.size > available) return false;
    uint32_t at = kSstpHeader;
    auto next = [&] { return at < frame.size ? bytes[at++] : 0xff; };
    uint8_t byte = next();
    if (byte == 0xff) {
        if (next() != 0x03) return false;
        byte = next();
    }
    if (byte == 0) byte = next();
    frame.payload = at;
    frame.version = byte == 0x21 ? 4 : 6;
    return byte == 0x21 || byte == 0x57;
}

}  // namespace postern
