// What a client may send to the network: the SSTP data packets at the front of a piece of its stream, as long as they hold IP
// packets that need nobody's thought.
#pragma once
#include "frame.h"
#include "session.h"

namespace postern {

inline bool is_own_source(const Session& session, const uint8_t* bytes, const IpPacket& ip) {
    if (session.flags & kAnySource) return true;
    // A session that has no address yet has zeros, which are nobody's.
    static const uint8_t none[8]{};
    const uint8_t* source = ip.addresses(bytes);
    if (ip.version == 4) return memcmp(source, &session.ipv4, 4) == 0 && memcmp(source, none, 4) != 0;
    return memcmp(source, session.ipv6, 8) == 0 && memcmp(source, none, 8) != 0;
}

enum class Verdict { kForward, kDropped, kForTypeScript };

inline Verdict judge(Session& session, const uint8_t* bytes, const Frame& frame, IpPacket& ip) {
    auto drop = [&](Drop reason) {
        session.drop_in(reason);
        return Verdict::kDropped;
    };
    if (frame.version == 6 && (session.flags & kIpv6Open) == 0) return drop(kNotRouted);
    if (frame.version == 4 && (session.flags & kIpv4Open) == 0) return drop(kGateClosed);
    bool whole = read_ip_packet(bytes, frame.size - frame.payload, ip);
    if (!whole || ip.version != frame.version) return drop(kMalformed);
    Destiny destiny = destiny_of(bytes, ip);
    // Link-local IPv6 is not of the session's network, and meant for us.
    if (ip.version == 6 && destiny == Destiny::kLocal) return Verdict::kForTypeScript;
    if (!is_own_source(session, bytes, ip)) return drop(kForeignSource);
    if (destiny == Destiny::kInvalid) return drop(kMalformed);
    return destiny == Destiny::kLocal ? Verdict::kForTypeScript : Verdict::kForward;
}

// Hands packets to `forward(bytes, ip)` and returns where it stopped: at the end, at an incomplete packet, or at one for TypeScript.
template <typename Forward>
size_t take_frames(Session& session, uint8_t* bytes, size_t at, size_t end, Forward&& forward) {
    // Before the gate is open every packet is counted against a limit that TypeScript keeps.
    if ((session.flags & (kIpv4Open | kIpv6Open)) == 0) return at;
    for (Frame frame; read_frame(bytes + at, end - at, frame); at += frame.size) {
        uint8_t* packet = bytes + at + frame.payload;
        IpPacket ip;
        Verdict verdict = judge(session, packet, frame, ip);
        if (verdict == Verdict::kForTypeScript) return at;
        if (verdict == Verdict::kDropped) continue;
        // What the other end sends has to get to the peer.
        clamp_mss(packet, ip, session.largest);
        session.packets_in += 1;
        session.bytes_in += ip.size;
        forward(packet, ip);
    }
    return at;
}

}  // namespace postern
