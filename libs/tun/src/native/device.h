// A TUN device: what is read from it on its way to sessions, what is written to it, and the memory for both.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "coalescer.h"
#include "intake.h"
#include "segments.h"

namespace postern {

constexpr uint32_t kNone = 0xffffffff;
constexpr size_t kBatchPackets = 256;
constexpr size_t kBatchBytes = 256 * 1024;
// A read never truncates: after the batch is full by bytes there is still room for the largest packet.
constexpr size_t kMaxRead = 65536 + sizeof(OffloadHeader);
constexpr size_t kArena = kBatchBytes + kMaxRead;
constexpr size_t kMaxTooBig = 16;
// Packets that lie in memory which will not last are copied here until they are written.
constexpr size_t kSpill = 256 * 1024;

// Memory of JavaScript's that both sides use; addon.ts has the same layout.
struct Shared {
    // "In" is what the kernel routes to clients.  A super-packet counts as the packets that it stands for.
    double packets_in, bytes_in, packets_out, bytes_out, not_ip, no_session, queue_full, refused, reads, writes;
    double super_packets_in, super_packets_out;
    struct Run {
        uint32_t slot;
        uint32_t room;     // bytes that the run takes; then those that it took
        uint32_t packets;  // that were written to the run's memory
        uint32_t first, last;
    } runs[kBatchPackets];
    // Packets that no peer takes, for an answer: where they lie in the arena.
    struct {
        uint32_t slot, offset, size;
    } too_big[kMaxTooBig];
    uint32_t too_big_count;
    uint32_t offload;  // what the device does
    uint32_t index;    // of the network interface
    char name[IFNAMSIZ];
};

struct QueuedPacket {
    uint32_t offset;  // of its OffloadHeader in the arena
    uint32_t size;    // without that
    uint32_t next;    // of the same run, or kNone
    Plan plan;
};

struct Device {
    int fd = -1;
    Shared* shared = nullptr;
    uint8_t* arena = nullptr;
    Session* sessions = nullptr;
    uint32_t slots = 0;

    // Whose packets are whose, by addresses as they lie in a packet.
    std::unordered_map<uint32_t, uint32_t> slot_of_ipv4;
    std::unordered_map<uint64_t, uint32_t> slot_of_network;  // a /64
    std::map<std::array<uint64_t, 2>, uint32_t> slot_of_ipv6;
    uint32_t default_slot = kNone;

    // The batch in hand.
    std::vector<QueuedPacket> packets;
    uint32_t run_count = 0;
    std::vector<uint32_t> run_of_slot;  // kNone for a slot without packets in this batch

    // What clients sent and the kernel has not been given yet.
    Coalescer<Device> coalescer{*this};
    std::unique_ptr<uint8_t[]> spill = std::make_unique_for_overwrite<uint8_t[]>(kSpill);
    size_t spilled = 0;

    // Creates the device with the most of `wanted` that the kernel does; 0, or a negative errno.
    int create(const char* name, uint32_t wanted) {
        ifreq request{};
        strncpy(request.ifr_name, name, IFNAMSIZ - 1);
        fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) return -errno;
        request.ifr_flags = short(IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL);
        uint32_t offload = wanted;
        if (offload > kNoOffload) request.ifr_flags |= IFF_VNET_HDR;
        if (ioctl(fd, TUNSETIFF, &request) < 0) {
            int error = errno;
            shut();
            if (offload == kNoOffload || error != EINVAL) return -error;
            return create(name, kNoOffload);
        }
        while (offload > kHeader && ioctl(fd, TUNSETOFFLOAD, tun_features(Offload(offload))) < 0) offload -= 1;
        coalescer.allow(offload >= kHeader, offload >= kUdpSegments);
        shared->offload = offload;
        shared->index = if_nametoindex(request.ifr_name);
        memcpy(shared->name, request.ifr_name, IFNAMSIZ);
        packets.reserve(kBatchPackets);
        run_of_slot.assign(slots, kNone);
        return 0;
    }

    void shut() {
        close(fd);
        fd = -1;
    }

    // The slot that the packet's destination belongs to, or kNone, counted.
    uint32_t find_slot(const uint8_t* packet, const IpPacket& ip) {
        const uint8_t* destination = ip.addresses(packet) + ip.addresses_size() / 2;
        if (ip.version == 4) {
            uint32_t address;
            memcpy(&address, destination, sizeof address);
            auto found = slot_of_ipv4.find(address);
            if (found != slot_of_ipv4.end()) return found->second;
        } else {
            std::array<uint64_t, 2> address;
            memcpy(&address, destination, sizeof address);
            auto host = slot_of_ipv6.find(address);
            if (host != slot_of_ipv6.end()) return host->second;
            auto network = slot_of_network.find(address[0]);
            if (network != slot_of_network.end()) return network->second;
        }
        if (default_slot == kNone) shared->no_session += 1;
        return default_slot;
    }

    // Reads one batch.  0, or the negative errno that means that the device is gone.
    int drain() {
        for (uint32_t run = 0; run < run_count; run += 1) run_of_slot[shared->runs[run].slot] = kNone;
        run_count = shared->too_big_count = 0;
        packets.clear();
        size_t used = 0, header = shared->offload == kNoOffload ? 0 : sizeof(OffloadHeader);
        for (size_t reads = 0; reads < kBatchPackets && used < kBatchBytes; reads += 1) {
            if (header == 0) memset(arena + used, 0, sizeof(OffloadHeader));
            size_t skipped = sizeof(OffloadHeader) - header;
            ssize_t size = read(fd, arena + used + skipped, kMaxRead - skipped);
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) return errno == EAGAIN ? 0 : -errno;
            shared->reads += 1;
            if (size_t(size) > header && queue(uint32_t(used), uint32_t(size - header))) used += sizeof(OffloadHeader) + size - header;
        }
        return 0;
    }

    // Whether the arena has to keep the packet behind the offload header at `offset`.
    bool queue(uint32_t offset, uint32_t size) {
        OffloadHeader offload;
        memcpy(&offload, arena + offset, sizeof offload);
        const uint8_t* packet = arena + offset + sizeof offload;
        Plan plan;
        if (!read_ip_packet(packet, size, plan.ip)) {
            shared->not_ip += 1;
            return false;
        }
        uint32_t slot = find_slot(packet, plan.ip);
        if (slot == kNone) return false;
        Session& session = sessions[slot];
        shared->packets_in += 1;
        shared->bytes_in += size;
        if ((session.flags & (plan.ip.version == 4 ? kIpv4Open : kIpv6Open)) == 0) {
            session.drop_out(kGateClosed);
            return false;
        }
        Fit fit = plan_segments(offload, packet, size, session.largest, plan);
        if (fit != Fit::kYes) {
            session.drop_out(fit == Fit::kTooBig ? kTooBig : kMalformed);
            if (fit != Fit::kTooBig || shared->too_big_count == kMaxTooBig) return false;
            shared->too_big[shared->too_big_count++] = {slot, uint32_t(offset + sizeof offload), size};
            return true;
        }
        shared->packets_in += plan.packets - 1;
        shared->super_packets_in += plan.packets > 1;
        append_to_run(slot, offset, size, plan);
        return true;
    }

    void append_to_run(uint32_t slot, uint32_t offset, uint32_t size, const Plan& plan) {
        uint32_t packet = uint32_t(packets.size());
        packets.push_back({offset, size, kNone, plan});
        uint32_t& number = run_of_slot[slot];
        if (number == kNone) {
            number = run_count++;
            shared->runs[number] = {slot, 0, 0, packet, packet};
        }
        Shared::Run& run = shared->runs[number];
        if (run.first != packet) packets[run.last].next = packet;
        run.last = packet;
        run.room += plan.bytes;
    }

    // Writes the packets of a run into `out`, as many as there is room for; the others are dropped.
    void write_run(uint32_t number, uint8_t* out, size_t room) {
        Shared::Run& run = shared->runs[number];
        Session& session = sessions[run.slot];
        Written all;
        for (uint32_t next = run.first; next != kNone; next = packets[next].next) {
            const QueuedPacket& packet = packets[next];
            OffloadHeader offload;
            memcpy(&offload, arena + packet.offset, sizeof offload);
            const uint8_t* bytes = arena + packet.offset + sizeof offload;
            Written one = write_segments(offload, bytes, packet.plan, session.largest, out + all.bytes, room - all.bytes);
            all = {all.bytes + one.bytes, all.packets + one.packets, all.payload + one.payload};
            if (one.packets < packet.plan.packets) session.drop_out(kQueueFull, packet.plan.packets - one.packets);
        }
        session.packets_out += all.packets;
        session.bytes_out += all.payload;
        run.room = all.bytes;
        run.packets = all.packets;
    }

    // Takes what is for the network from the front of [at, end); `lasting` bytes stay as they are until flush().
    size_t take(uint32_t slot, uint8_t* bytes, size_t at, size_t end, bool lasting) {
        auto forward = [&](uint8_t* packet, const IpPacket& ip) {
            if (!lasting) {
                if (kSpill - spilled < ip.size) flush();
                packet = static_cast<uint8_t*>(memcpy(spill.get() + spilled, packet, ip.size));
                spilled += ip.size;
            }
            coalescer.add(packet, ip);
        };
        return take_frames(sessions[slot], bytes, at, end, forward);
    }

    void flush() {
        coalescer.flush();
        spilled = 0;
    }

    // Gives one packet, which stands for `count`, to the kernel: the coalescer's sink.
    void emit(iovec* pieces, int count, uint32_t stands_for) {
        if (shared->offload == kNoOffload) pieces += 1, count -= 1;
        ssize_t written;
        do written = writev(fd, pieces, count);
        while (written < 0 && errno == EINTR);
        shared->writes += 1;
        if (written < 0) {
            (errno == EAGAIN ? shared->queue_full : shared->refused) += stands_for;
            return;
        }
        shared->packets_out += stands_for;
        shared->super_packets_out += stands_for > 1;
        for (int piece = shared->offload == kNoOffload ? 0 : 1; piece < count; piece += 1) shared->bytes_out += double(pieces[piece].iov_len);
    }
};

}  // namespace postern
