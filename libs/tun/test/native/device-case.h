// A whole device whose kernel is a socket: batches, runs and queues in both directions, under the sanitizers.  native-cases.ts has the
// same layout.
//   device   offload:8 | per session, of two: flags:8, largest:16 | steps
//   step     kind:8 | size:16 | size bytes: 0 the kernel hands these over, 1 a batch is read and each of its runs gets as many bytes as
//            the number:32 says, 2 a client's chunk, which lasts until the flush, 3 one that does not, 4 flush
//            -> counters of Shared: 10 doubles | of both sessions: 12 doubles each
#pragma once
#include <sys/socket.h>

#include "../../src/native/device.h"
#include "cases.h"

namespace postern::cases {

constexpr uint32_t kSessions = 2;

struct DeviceCase {
    int kernel = -1;
    std::unique_ptr<Shared> shared = std::make_unique<Shared>();
    std::unique_ptr<uint8_t[]> arena{new uint8_t[kArena]};
    std::unique_ptr<Session[]> sessions{new Session[kSessions]{}};
    std::vector<Bytes> held;
    Device device;

    explicit DeviceCase(Reader& reader) {
        int ends[2];
        must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) == 0, "sockets");
        kernel = ends[0];
        device.fd = ends[1];
        device.shared = shared.get();
        device.arena = arena.get();
        device.sessions = sessions.get();
        device.slots = kSessions;
        device.run_of_slot.assign(kSessions, kNone);
        shared->offload = reader.next<uint8_t>() % (kUdpSegments + 1);
        device.coalescer.allow(shared->offload >= kHeader, shared->offload >= kUdpSegments);
        for (uint32_t slot = 0; slot < kSessions; slot += 1) {
            sessions[slot].flags = reader.next<uint8_t>();
            sessions[slot].largest = std::max<uint32_t>(reader.next<uint16_t>(), 68);
            sessions[slot].ipv4 = 0x05005b0a;
        }
        // The first session has one address, and the other one everything else.
        device.slot_of_ipv4[sessions[0].ipv4] = 0;
        device.default_slot = 1;
    }

    ~DeviceCase() {
        close(kernel);
        device.shut();
    }

    void read_batch(uint32_t room) {
        must(device.drain() == 0, "the device is there");
        for (uint32_t run = 0; run < device.run_count; run += 1) {
            Bytes out(std::min({shared->runs[run].room, room, kMaxRoom}));
            device.write_run(run, out.data.get(), out.size);
            must(shared->runs[run].room <= out.size, "a run that fits");
        }
        for (uint32_t at = 0; at < shared->too_big_count; at += 1) {
            const auto& packet = shared->too_big[at];
            must(packet.slot < kSessions && packet.offset + packet.size <= kArena, "a packet in the arena");
            sum_of(arena.get() + packet.offset, packet.size);
        }
        double passed = 0;
        for (uint32_t slot = 0; slot < kSessions; slot += 1) passed += sessions[slot].packets_out + sessions[slot].dropped_out;
        must(passed == shared->packets_in, "every packet is a session's or dropped");
    }

    void take(const uint8_t* bytes, size_t size, bool lasting) {
        Bytes chunk(bytes, size);
        device.take(0, chunk.data.get(), 0, chunk.size, lasting);
        if (lasting) held.push_back(std::move(chunk));
    }

    void flush() {
        device.flush();
        held.clear();
        must(sessions[0].packets_in == shared->packets_out + shared->queue_full + shared->refused, "no packet is lost uncounted");
        for (uint8_t byte; recv(kernel, &byte, 1, MSG_DONTWAIT) >= 0;) {}
    }
};

inline Result device(const uint8_t* bytes, size_t size) {
    Reader reader{bytes, size};
    DeviceCase one(reader);
    while (reader.size > 0) {
        uint8_t kind = reader.next<uint8_t>() % 5;
        size_t length = std::min<size_t>(reader.next<uint16_t>(), reader.size);
        Reader step{reader.bytes, length};
        if (kind == 0) send(one.kernel, step.bytes, length, MSG_DONTWAIT);
        else if (kind == 1) one.read_batch(step.next<uint32_t>());
        else if (kind == 4) one.flush();
        else one.take(step.bytes, length, kind == 2);
        reader.bytes += length;
        reader.size -= length;
    }
    one.flush();
    Result result;
    put(result, *one.shared);
    result.resize(10 * sizeof(double));
    for (uint32_t slot = 0; slot < kSessions; slot += 1) {
        auto* counters = reinterpret_cast<const uint8_t*>(&one.sessions[slot].packets_in);
        result.insert(result.end(), counters, counters + 12 * sizeof(double));
    }
    return result;
}

}  // namespace postern::cases
