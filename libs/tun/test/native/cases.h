// What the tests give to the packet functions, as bytes, and what comes out of them: the same for the property tests, the sanitizers
// and the fuzzers.  Numbers have the byte order of the host.  native-cases.ts has the same layout.
//   split   largest:16 | room:32 | OffloadHeader | packet
//           -> fit:8 | packets planned:32, bytes planned:32 | packets:32, bytes:32, payload:32 | frames
//   take    flags:32 | IPv4 source:32 | IPv6 network:64 | largest:16 | super-packets allowed:8 (1 TCP, 2 UDP)
//           | chunks:8 | chunks times (flush after it:1, size:15) | stream
//           -> counters: 12 doubles | framing lost:8 | records: kind:8 (0 emitted, 1 left) | packets:32 | size:32 | bytes
// All memory is as large as the bytes in it, so that a sanitizer sees the first access outside.
#pragma once
#include <stdio.h>
#include <stdlib.h>

#include <memory>
#include <vector>

#include "../../src/native/coalescer.h"
#include "../../src/native/intake.h"
#include "../../src/native/segments.h"

namespace postern::cases {

inline void must(bool holds, const char* what) {
    if (holds) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

struct Bytes {
    std::unique_ptr<uint8_t[]> data;
    size_t size = 0;

    explicit Bytes(size_t size) : data(new uint8_t[size]), size(size) {}
    Bytes(const uint8_t* from, size_t size) : Bytes(size) {
        if (size > 0) memcpy(data.get(), from, size);
    }
};

// Reads a case from its front; what is missing is zero.
struct Reader {
    const uint8_t* bytes;
    size_t size;

    template <typename Value>
    Value next() {
        Value value{};
        size_t taken = std::min(size, sizeof value);
        if (taken > 0) memcpy(&value, bytes, taken);
        bytes += taken;
        size -= taken;
        return value;
    }
};

using Result = std::vector<uint8_t>;

template <typename Value>
void put(Result& result, const Value& value) {
    auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    result.insert(result.end(), bytes, bytes + sizeof value);
}

// The largest memory that a run gets.
constexpr uint32_t kMaxRoom = 1024 * 1024;

inline Result split(const uint8_t* bytes, size_t size) {
    Reader reader{bytes, size};
    uint32_t largest = std::max<uint32_t>(reader.next<uint16_t>(), 68), room = reader.next<uint32_t>();
    auto offload = reader.next<OffloadHeader>();
    Bytes packet(reader.bytes, reader.size);
    Plan plan;
    Fit fit = plan_segments(offload, packet.data.get(), packet.size, largest, plan);
    Result result{uint8_t(fit)};
    if (fit != Fit::kYes) return result;
    Bytes out(std::min({room, plan.bytes, kMaxRoom}));
    Written written = write_segments(offload, packet.data.get(), plan, largest, out.data.get(), out.size);
    must(written.bytes <= out.size && written.packets <= plan.packets, "no more than planned, and than there is room for");
    must(out.size < plan.bytes || (written.bytes == plan.bytes && written.packets == plan.packets), "all where there is room");
    must(written.payload + written.packets * kFrameHeader == written.bytes, "eight bytes in front of each packet");
    Frame frame;
    uint32_t at = 0, frames = 0;
    for (; at < written.bytes; at += frame.size, frames += 1) {
        must(read_frame(out.data.get() + at, written.bytes - at, frame), "frames");
        must(frame.payload == kFrameHeader && frame.version == plan.ip.version, "of IP packets");
        must(frame.size - kFrameHeader <= largest, "that the peer takes");
    }
    must(frames == written.packets, "as many as counted");
    for (uint32_t number : {plan.packets, plan.bytes, written.packets, written.bytes, written.payload}) put(result, number);
    result.insert(result.end(), out.data.get(), out.data.get() + written.bytes);
    return result;
}

// Where the coalescer puts what the kernel would get.
struct Sink {
    Result& result;

    void emit(const iovec* pieces, int count, uint32_t packets) {
        must(count >= 2 && pieces[0].iov_len == sizeof(OffloadHeader), "an offload header first");
        put(result, uint8_t(0));
        put(result, packets);
        uint32_t size = 0;
        for (int piece = 0; piece < count; piece += 1) size += uint32_t(pieces[piece].iov_len);
        must(size - sizeof(OffloadHeader) <= kMaxSuperPacket, "no more than the kernel takes");
        put(result, size);
        for (int piece = 0; piece < count; piece += 1) {
            auto* bytes = static_cast<const uint8_t*>(pieces[piece].iov_base);
            result.insert(result.end(), bytes, bytes + pieces[piece].iov_len);
        }
    }
};

// Whether a whole SSTP packet, of any kind, lies at the front; its size.  A header that cannot be is `lost`.
inline uint32_t whole_packet(const uint8_t* bytes, size_t available, bool& lost) {
    if (available < kSstpHeader) return 0;
    uint32_t size = read_be16(bytes + 2) & 0x0fff;
    lost = bytes[0] != 0x10 || size < kSstpHeader;
    return lost || size > available ? 0 : size;
}

inline Result take(const uint8_t* bytes, size_t size) {
    Reader reader{bytes, size};
    Session session{};
    session.flags = reader.next<uint32_t>() & (kIpv4Open | kIpv6Open | kAnySource);
    session.ipv4 = reader.next<uint32_t>();
    for (uint32_t& word : session.ipv6) word = reader.next<uint32_t>();
    session.largest = std::max<uint32_t>(reader.next<uint16_t>(), 68);
    uint8_t allowed = reader.next<uint8_t>();
    std::vector<uint16_t> chunks(reader.next<uint8_t>());
    for (uint16_t& chunk : chunks) chunk = reader.next<uint16_t>();

    Result records;
    Sink sink{records};
    Coalescer<Sink> coalescer(sink);
    coalescer.allow(allowed & 1, allowed & 2);
    auto forward = [&](uint8_t* packet, const IpPacket& ip) { coalescer.add(packet, ip); };
    std::vector<Bytes> held;
    Result unfinished;
    bool lost = false;
    for (size_t number = 0; number <= chunks.size() && !lost; number += 1) {
        // The last chunk is the rest.
        size_t length = number == chunks.size() ? reader.size : std::min<size_t>(chunks[number] & 0x7fff, reader.size);
        unfinished.insert(unfinished.end(), reader.bytes, reader.bytes + length);
        reader.bytes += length;
        reader.size -= length;
        const Bytes& chunk = held.emplace_back(unfinished.data(), unfinished.size());
        size_t at = 0;
        for (uint32_t whole = 0;; at += whole) {
            size_t stopped = take_frames(session, chunk.data.get(), at, chunk.size, forward);
            must(stopped >= at && stopped <= chunk.size, "it stops within the chunk");
            at = stopped;
            whole = whole_packet(chunk.data.get() + at, chunk.size - at, lost);
            if (whole == 0) break;
            put(records, uint8_t(1));
            put(records, uint32_t(1));
            put(records, whole);
            records.insert(records.end(), chunk.data.get() + at, chunk.data.get() + at + whole);
        }
        unfinished.assign(chunk.data.get() + at, chunk.data.get() + chunk.size);
        if (number == chunks.size() || lost || (chunks[number] & 0x8000)) {
            coalescer.flush();
            held.clear();
        }
    }
    Result result;
    for (const double* counter = &session.packets_in; counter < session.drops + kDrops; counter += 1) put(result, *counter);
    put(result, uint8_t(lost));
    result.insert(result.end(), records.begin(), records.end());
    return result;
}

}  // namespace postern::cases
