// From what the kernel hands over to what a client gets: a super-packet (GSO) becomes the packets it stands for, checksums that the
// kernel left to us (virtio 1.2 §5.1.6.3) are finished in the same pass as the copy, the MSS of a SYN is clamped, and each packet has
// its SSTP and PPP headers in front.
#pragma once
#include <algorithm>

#include "frame.h"
#include "offload.h"
#include "session.h"

namespace postern {

// What splitting a packet will give.
struct Plan {
    IpPacket ip;
    uint32_t header = 0;   // bytes that every segment begins with, or 0: it goes as it is
    uint32_t segment = 0;  // payload of every segment but the last
    uint32_t packets = 1;
    uint32_t bytes = 0;  // of all packets with their frame headers
};

enum class Fit { kYes, kMalformed, kTooBig };

inline Fit plan_segments(const OffloadHeader& offload, const uint8_t* bytes, size_t size, uint32_t largest, Plan& plan) {
    plan = {};
    if (!read_ip_packet(bytes, size, plan.ip)) return Fit::kMalformed;
    const IpPacket& ip = plan.ip;
    uint8_t gso = offload.gso_type & ~kGsoEcn;
    if (gso == kGsoNone) {
        bool partial = offload.flags & kNeedsChecksum;
        if (partial && offload.checksum_start + offload.checksum_offset + 2u > ip.size) return Fit::kMalformed;
        plan.bytes = kFrameHeader + ip.size;
        return ip.size > largest || plan.bytes > kMaxFrame ? Fit::kTooBig : Fit::kYes;
    }
    bool is_tcp = gso == (ip.version == 4 ? kGsoTcp4 : kGsoTcp6) && ip.protocol == kTcp;
    bool is_udp = gso == kGsoUdp && ip.protocol == kUdp && ip.size - ip.transport >= kUdpHeader;
    uint32_t transport_header = is_tcp ? tcp_header_size(bytes, ip) : is_udp ? kUdpHeader : 0;
    if (transport_header == 0 || offload.segment_size == 0) return Fit::kMalformed;
    plan.header = ip.transport + transport_header;
    uint32_t payload = ip.size - plan.header, limit = std::min(largest, kMaxFrame - kFrameHeader);
    if (payload == 0) return Fit::kMalformed;
    if (plan.header >= limit) return Fit::kTooBig;
    plan.segment = offload.segment_size;
    // TCP may be cut anywhere; a datagram is whole or nothing.
    if (plan.header + plan.segment > limit) {
        if (is_udp && plan.header + payload > limit) return Fit::kTooBig;
        plan.segment = limit - plan.header;
    }
    plan.packets = (payload + plan.segment - 1) / plan.segment;
    plan.bytes = plan.packets * (kFrameHeader + plan.header) + payload;
    return Fit::kYes;
}

struct Written {
    uint32_t bytes = 0;  // frame headers included
    uint32_t packets = 0;
    uint32_t payload = 0;  // bytes of IP packets
};

inline void copy_whole(const OffloadHeader& offload, const uint8_t* bytes, const Plan& plan, uint32_t largest, uint8_t* out) {
    const IpPacket& ip = plan.ip;
    if ((offload.flags & kNeedsChecksum) == 0) {
        memcpy(out, bytes, ip.size);
        clamp_mss(out, ip, largest);
        return;
    }
    // The field holds the sum of the pseudo-header, which is as if it were one more word.
    uint32_t start = offload.checksum_start, field = start + offload.checksum_offset;
    memcpy(out, bytes, start);
    uint64_t sum = copy_and_sum(out + start, bytes + start, ip.size - start);
    if (clamp_mss(out, ip, largest)) {
        write_word(out + field, read_word(bytes + field));
        sum = sum_of(out + start, ip.size - start);
    }
    uint16_t checksum = complement(sum);
    // RFC 768: zero says that there is none.
    write_word(out + field, checksum == 0 && ip.protocol == kUdp ? 0xffff : checksum);
}

// Writes the headers of segment `index` of `size` bytes, of which everything but the checksums is known now.
inline void write_segment_header(const uint8_t* bytes, const Plan& plan, uint32_t index, uint32_t size, uint8_t* out) {
    const IpPacket& ip = plan.ip;
    memcpy(out, bytes, plan.header);
    if (ip.version == 4) {
        write_be16(out + 2, uint16_t(size));
        write_be16(out + 4, uint16_t(read_be16(bytes + 4) + index));
        write_ipv4_checksum(out);
    } else {
        write_be16(out + 4, uint16_t(size - kIpv6Header));
    }
    uint8_t* transport = out + ip.transport;
    if (ip.protocol == kUdp) {
        write_be16(transport + 4, uint16_t(size - ip.transport));
        write_word(transport + 6, 0);
        return;
    }
    write_be32(transport + 4, read_be32(transport + 4) + index * plan.segment);
    if (index + 1 < plan.packets) transport[13] &= uint8_t(~(kFin | kPsh));
    if (index > 0) transport[13] &= uint8_t(~kCwr);
    write_word(transport + 16, 0);
}

// Writes as many of the planned packets as there is room for, the first ones first.
inline Written write_segments(const OffloadHeader& offload, const uint8_t* bytes, const Plan& plan, uint32_t largest,
                              uint8_t* out, size_t room) {
    const IpPacket& ip = plan.ip;
    Written written;
    if (plan.header == 0) {
        if (room < plan.bytes) return written;
        write_frame_header(out, ip.size, ip.version);
        copy_whole(offload, bytes, plan, largest, out + kFrameHeader);
        return {plan.bytes, 1, ip.size};
    }
    uint64_t pseudo = pseudo_header_sum(bytes, ip);
    uint32_t checksum_at = ip.transport + (ip.protocol == kTcp ? 16 : 6);
    for (uint32_t at = plan.header; at < ip.size; at += plan.segment) {
        uint32_t payload = ip.size - at < plan.segment ? ip.size - at : plan.segment, size = plan.header + payload;
        if (room - written.bytes < kFrameHeader + size) break;
        write_frame_header(out, size, ip.version);
        uint8_t* packet = out + kFrameHeader;
        write_segment_header(bytes, plan, written.packets, size, packet);
        uint64_t sum = pseudo + as_word(uint16_t(size - ip.transport));
        sum += sum_of(packet + ip.transport, plan.header - ip.transport);
        sum += copy_and_sum(packet + plan.header, bytes + at, payload);
        uint16_t checksum = complement(sum);
        write_word(packet + checksum_at, checksum == 0 && ip.protocol == kUdp ? 0xffff : checksum);
        out += kFrameHeader + size;
        written = {written.bytes + kFrameHeader + size, written.packets + 1, written.payload + size};
    }
    return written;
}

}  // namespace postern
