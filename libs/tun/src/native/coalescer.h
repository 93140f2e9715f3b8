// From what a client sent to what the kernel takes in one call: consecutive in-order segments of one TCP connection become one
// super-packet (GRO), equal datagrams of one UDP flow too, and everything else goes as it is.
//
// Nothing is copied: the first packet's header is rewritten where it lies and the payloads are gathered from where they are, so
// the bytes of a packet must stay until flush().  The rules are those of Linux' tcp_gro_receive: what the kernel would make of the
// super-packet again is, but for the identification of packets that are never fragmented, what came.
#pragma once
#include <sys/uio.h>

#include <algorithm>

#include "ip-packet.h"
#include "offload.h"

namespace postern {

constexpr uint32_t kMaxSuperPacket = 65535;
constexpr uint32_t kFlows = 32;
constexpr uint32_t kMaxSegments = 60;

// A super-packet in the making.
struct Flow {
    uint32_t key = 0;  // 0: free
    uint8_t* first;    // the first packet, whose headers stand for all
    IpPacket ip;
    uint32_t header;   // bytes of its IP and transport headers
    uint32_t segment;  // payload of every packet but the last
    uint32_t payload;  // of all
    uint32_t packets;
    bool pushed;  // the last one had PSH
    iovec pieces[1 + kMaxSegments];  // [0] is for the offload header
};

// `Sink` has emit(pieces, count, packets): pieces[0] is the OffloadHeader.
template <typename Sink>
class Coalescer {
  public:
    explicit Coalescer(Sink& sink) : sink_(sink) {}

    // Which super-packets the kernel takes.
    void allow(bool tcp, bool udp) {
        tcp_ = tcp;
        udp_ = udp;
    }

    // One packet that is the network's.
    void add(uint8_t* bytes, const IpPacket& ip) {
        uint32_t header = transport_header(bytes, ip);
        // One with a header that cannot be read must not overtake its flow either.
        uint32_t key = has_ports(ip) ? key_of(bytes, ip) : 0;
        Flow* flow = key == 0 ? nullptr : find(key, bytes, ip);
        bool joins = header != 0 && may_join(bytes, ip, header);
        if (flow != nullptr) {
            if (joins && follows(*flow, bytes, ip, header)) return append(*flow, bytes, ip, header);
            flush(*flow);
        }
        bool ends = ip.protocol == kTcp && header != 0 && (bytes[ip.transport + 13] & kPsh);
        if (joins && !ends) begin(key, bytes, ip, header);
        else emit_single(bytes, ip.size);
    }

    void flush() {
        for (Flow& flow : flows_) flush(flow);
    }

  private:
    static bool has_ports(const IpPacket& ip) {
        return ip.plain && (ip.protocol == kTcp || ip.protocol == kUdp) && ip.size - ip.transport >= 4;
    }

    // Bytes of the headers, or 0 for a packet that cannot be joined to any.
    static uint32_t transport_header(const uint8_t* bytes, const IpPacket& ip) {
        if (!ip.plain) return 0;
        if (ip.protocol == kTcp) {
            uint32_t size = tcp_header_size(bytes, ip);
            return size == 0 ? 0 : ip.transport + size;
        }
        if (ip.protocol != kUdp || ip.size - ip.transport < kUdpHeader) return 0;
        return read_be16(bytes + ip.transport + 4) == ip.size - ip.transport ? ip.transport + kUdpHeader : 0;
    }

    static uint32_t key_of(const uint8_t* bytes, const IpPacket& ip) {
        uint64_t key = 0, word;
        for (uint32_t at = 0; at < ip.addresses_size(); at += 8) {
            memcpy(&word, ip.addresses(bytes) + at, 8);
            key = (key ^ word) * 0x9e3779b97f4a7c15;
        }
        uint32_t ports;
        memcpy(&ports, bytes + ip.transport, 4);
        key = (key ^ ports ^ ip.protocol) * 0x9e3779b97f4a7c15;
        return uint32_t(key >> 32) | 1;
    }

    Flow* find(uint32_t key, const uint8_t* bytes, const IpPacket& ip) {
        for (uint32_t at = 0; at < kFlows; at += 1) {
            if (keys_[at] == key && same_flow(flows_[at], bytes, ip)) return &flows_[at];
        }
        return nullptr;
    }

    static bool same_flow(const Flow& flow, const uint8_t* bytes, const IpPacket& ip) {
        return flow.ip.version == ip.version && flow.ip.protocol == ip.protocol &&
               memcmp(ip.addresses(flow.first), ip.addresses(bytes), ip.addresses_size()) == 0 &&
               memcmp(flow.first + flow.ip.transport, bytes + ip.transport, 4) == 0;
    }

    // Whether the packet may be part of a super-packet at all.
    bool may_join(const uint8_t* bytes, const IpPacket& ip, uint32_t header) const {
        const uint8_t* transport = bytes + ip.transport;
        if (ip.size == header) return false;
        if (ip.protocol == kTcp && (!tcp_ || (transport[13] & ~kPsh) != kAck)) return false;
        if (ip.protocol == kUdp && (!udp_ || read_word(transport + 6) == 0)) return false;
        if (ip.version == 4 && fold(sum_of(bytes, kIpv4Header)) != 0xffff) return false;
        return verifies(bytes, ip);
    }

    // Whether the packet is the next one of the flow, and as its first in everything that the kernel will repeat.
    static bool follows(const Flow& flow, const uint8_t* bytes, const IpPacket& ip, uint32_t header) {
        uint32_t payload = ip.size - header;
        if (header != flow.header || payload > flow.segment || flow.packets == kMaxSegments) return false;
        if (flow.header + flow.payload + payload > kMaxSuperPacket) return false;
        return same_ip_header(flow, bytes) && (ip.protocol == kUdp || same_tcp_header(flow, bytes));
    }

    static bool same_ip_header(const Flow& flow, const uint8_t* bytes) {
        const uint8_t* first = flow.first;
        if (flow.ip.version == 6) return memcmp(first, bytes, 4) == 0 && first[7] == bytes[7];
        // Type of service, flags, time to live.  A packet that may be fragmented needs the identification that it has.
        if (first[1] != bytes[1] || first[6] != bytes[6] || first[8] != bytes[8]) return false;
        bool may_be_fragmented = (first[6] & 0x40) == 0;
        return !may_be_fragmented || uint16_t(read_be16(first + 4) + flow.packets) == read_be16(bytes + 4);
    }

    static bool same_tcp_header(const Flow& flow, const uint8_t* bytes) {
        const uint8_t *first = flow.first + flow.ip.transport, *tcp = bytes + flow.ip.transport;
        uint32_t options = flow.header - flow.ip.transport - kTcpHeader;
        return read_be32(tcp + 4) == read_be32(first + 4) + flow.payload && memcmp(first + 8, tcp + 8, 4) == 0 &&
               first[12] == tcp[12] && memcmp(first + 14, tcp + 14, 2) == 0 && memcmp(first + 18, tcp + 18, 2) == 0 &&
               memcmp(first + kTcpHeader, tcp + kTcpHeader, options) == 0;
    }

    void begin(uint32_t key, uint8_t* bytes, const IpPacket& ip, uint32_t header) {
        uint32_t at = 0;
        while (at < kFlows && keys_[at] != 0) at += 1;
        if (at == kFlows) {
            at = next_victim_++ % kFlows;
            flush(flows_[at]);
        }
        Flow& flow = flows_[at];
        keys_[at] = key;
        flow.key = key;
        flow.first = bytes;
        flow.ip = ip;
        flow.header = header;
        flow.segment = flow.payload = ip.size - header;
        flow.packets = 1;
        flow.pushed = false;
        flow.pieces[1] = {bytes, ip.size};
    }

    void append(Flow& flow, uint8_t* bytes, const IpPacket& ip, uint32_t header) {
        uint32_t payload = ip.size - header;
        flow.packets += 1;
        flow.pieces[flow.packets] = {bytes + header, payload};
        flow.payload += payload;
        flow.pushed = ip.protocol == kTcp && (bytes[ip.transport + 13] & kPsh);
        if (flow.pushed || payload < flow.segment || flow.packets == kMaxSegments) flush(flow);
    }

    void flush(Flow& flow) {
        if (flow.key == 0) return;
        flow.key = 0;
        keys_[&flow - flows_] = 0;
        if (flow.packets == 1) return emit_single(flow.first, flow.ip.size);
        const IpPacket& ip = flow.ip;
        uint8_t* transport = flow.first + ip.transport;
        uint32_t size = flow.header + flow.payload;
        write_be16(flow.first + (ip.version == 4 ? 2 : 4), uint16_t(ip.version == 4 ? size : size - kIpv6Header));
        if (ip.version == 4) write_ipv4_checksum(flow.first);
        bool is_tcp = ip.protocol == kTcp;
        if (is_tcp && flow.pushed) transport[13] |= kPsh;
        if (!is_tcp) write_be16(transport + 4, uint16_t(size - ip.transport));
        // The sum of the pseudo-header; the kernel, or the hardware, adds the rest.
        uint16_t field = is_tcp ? 16 : 6;
        write_word(transport + field, fold(pseudo_header_sum(flow.first, ip) + as_word(uint16_t(size - ip.transport))));
        OffloadHeader offload{};
        offload.flags = kNeedsChecksum;
        offload.gso_type = !is_tcp ? kGsoUdp : ip.version == 4 ? kGsoTcp4 : kGsoTcp6;
        offload.header_size = uint16_t(flow.header);
        offload.segment_size = uint16_t(flow.segment);
        offload.checksum_start = uint16_t(ip.transport);
        offload.checksum_offset = field;
        flow.pieces[0] = {&offload, sizeof offload};
        sink_.emit(flow.pieces, int(flow.packets + 1), flow.packets);
    }

    void emit_single(uint8_t* bytes, uint32_t size) {
        OffloadHeader none{};
        iovec pieces[2] = {{&none, sizeof none}, {bytes, size}};
        sink_.emit(pieces, 2, 1);
    }

    Sink& sink_;
    bool tcp_ = false, udp_ = false;
    uint32_t next_victim_ = 0;
    uint32_t keys_[kFlows]{};
    Flow flows_[kFlows];
};

}  // namespace postern
