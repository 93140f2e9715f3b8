// A TUN device whose packets cross into JavaScript once per batch, never one by one.  addon.ts declares the functions.
//
// Reading, per wake-up of the event loop:
//   1. drain    read() packets into the arena until the kernel has no more or the batch is full; look each destination
//               up; link the packets of one session into a run.
//   2. onBatch  one call into JavaScript.  It finds the runs described in shared memory, and calls
//   3. gather   with one slab per run, into which the packets are copied one after the other, `headroom` bytes before
//               each.  A slab is JavaScript's from then on; the arena is free for the next batch.
//
// Functions return a negative errno and never throw; -EINVAL also says that an argument is not what addon.ts declares.
#define NAPI_VERSION 8
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <node_api.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace {

constexpr size_t kBatchPackets = 256;
constexpr size_t kBatchBytes = 512 * 1024;
// A read never truncates: after the batch is full by bytes there is still room for the largest packet.
constexpr size_t kMaxPacket = 65536;
constexpr uint32_t kNone = 0xffffffff;

// As they lie in a packet.
using Ipv4Address = uint32_t;
using Ipv6Network = uint64_t;  // a /64
using Ipv6Address = std::array<uint64_t, 2>;

struct Packet {
    uint32_t offset;  // in the arena
    uint32_t size;
    uint32_t next;  // of the same run, or kNone
};

// The packets of one session in a batch.
struct Run {
    uint32_t slot;
    uint32_t packets;
    uint32_t bytes;  // of the slab that holds it, headrooms included
    uint32_t first;
    uint32_t last;
};

// Memory of JavaScript's that both sides use; addon.ts has the same layout.
struct Shared {
    uint64_t packets_in, bytes_in, packets_out, bytes_out, not_ip, no_session, queue_full, refused;
    struct {
        uint32_t offset;  // in the slab of its run
        uint32_t size;
    } packets[kBatchPackets];
    Run runs[kBatchPackets];
    uint32_t index;  // of the network interface
    char name[IFNAMSIZ];
};

struct Device {
    napi_env env = nullptr;
    int fd = -1;
    uint32_t headroom = 0;
    Shared* shared = nullptr;
    napi_ref shared_memory = nullptr;

    // Whose packets are whose.
    std::unordered_map<Ipv4Address, uint32_t> slot_of_ipv4;
    std::unordered_map<Ipv6Network, uint32_t> slot_of_network;
    std::map<Ipv6Address, uint32_t> slot_of_ipv6;

    // The batch in hand.
    std::unique_ptr<uint8_t[]> arena = std::make_unique_for_overwrite<uint8_t[]>(kBatchBytes + kMaxPacket);
    std::vector<Packet> packets;
    uint32_t run_count = 0;
    std::vector<uint32_t> run_of_slot;  // kNone for a slot without packets in this batch

    // Set by start().
    uv_poll_t poll{};
    napi_async_context context = nullptr;
    napi_async_cleanup_hook_handle cleanup = nullptr;
    napi_ref on_batch = nullptr;
    napi_ref self = nullptr;  // keeps the handle, and with it this, until the event loop has let go of `poll`
};

struct Arguments {
    const napi_env env;
    napi_value values[4]{};

    Arguments(napi_env env, napi_callback_info info) : env(env) {
        size_t count = std::size(values);
        napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
    }
    uint32_t number(size_t at) const {
        uint32_t value = kNone;
        napi_get_value_uint32(env, values[at], &value);
        return value;
    }
};

// The elements of a Uint8Array or Uint32Array; or null, and no length.
template <typename Element>
Element* elements(napi_env env, napi_value value, size_t* length) {
    napi_typedarray_type type;
    void* data;
    auto status = napi_get_typedarray_info(env, value, &type, length, &data, nullptr, nullptr);
    auto expected = sizeof(Element) == 1 ? napi_uint8_array : napi_uint32_array;
    if (status == napi_ok && type == expected) return static_cast<Element*>(data);
    *length = 0;
    return nullptr;
}

napi_value to_number(napi_env env, int64_t value) {
    napi_value result;
    napi_create_int64(env, value, &result);
    return result;
}

// What JavaScript calls for `function`; the first argument there is the device.
template <int64_t (*function)(Device&, const Arguments&)>
napi_value on_device(napi_env env, napi_callback_info info) {
    Arguments arguments(env, info);
    void* device = nullptr;
    napi_get_value_external(env, arguments.values[0], &device);
    if (device == nullptr || static_cast<Device*>(device)->fd < 0) return to_number(env, -EBADF);
    return to_number(env, function(*static_cast<Device*>(device), arguments));
}

// The slot that the packet's destination belongs to, or kNone, counted.
uint32_t find_slot(const Device& device, const uint8_t* packet, size_t size) {
    if (size >= 20 && packet[0] >> 4 == 4) {
        Ipv4Address address;
        memcpy(&address, packet + 16, sizeof address);
        auto found = device.slot_of_ipv4.find(address);
        if (found != device.slot_of_ipv4.end()) return found->second;
    } else if (size >= 40 && packet[0] >> 4 == 6) {
        Ipv6Address address;
        memcpy(&address, packet + 24, sizeof address);
        auto host = device.slot_of_ipv6.find(address);
        if (host != device.slot_of_ipv6.end()) return host->second;
        auto network = device.slot_of_network.find(address[0]);
        if (network != device.slot_of_network.end()) return network->second;
    } else {
        device.shared->not_ip += 1;
        return kNone;
    }
    device.shared->no_session += 1;
    return kNone;
}

void append_to_run(Device& device, uint32_t slot, uint32_t offset, uint32_t size) {
    uint32_t packet = device.packets.size();
    device.packets.push_back({offset, size, kNone});
    uint32_t& number = device.run_of_slot[slot];
    if (number == kNone) {
        number = device.run_count++;
        device.shared->runs[number] = {slot, 0, 0, packet, packet};
    }
    Run& run = device.shared->runs[number];
    if (run.packets > 0) device.packets[run.last].next = packet;
    run.last = packet;
    run.packets += 1;
    run.bytes += device.headroom + size;
}

// Reads one batch.  0, or the negative errno that means that the device is gone.
int drain(Device& device) {
    Shared* shared = device.shared;
    for (uint32_t run = 0; run < device.run_count; run += 1) device.run_of_slot[shared->runs[run].slot] = kNone;
    device.run_count = 0;
    device.packets.clear();
    size_t used = 0;
    for (size_t reads = 0; reads < kBatchPackets && used < kBatchBytes; reads += 1) {
        ssize_t size = read(device.fd, device.arena.get() + used, kMaxPacket);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return errno == EAGAIN ? 0 : -errno;
        uint32_t slot = find_slot(device, device.arena.get() + used, size);
        if (slot == kNone) continue;
        append_to_run(device, slot, used, size);
        shared->packets_in += 1;
        shared->bytes_in += size;
        used += size;
    }
    return 0;
}

void call_on_batch(const Device& device, int64_t result) {
    napi_env env = device.env;
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_value receiver, callback;
    napi_get_global(env, &receiver);
    napi_get_reference_value(env, device.on_batch, &callback);
    napi_value argument = to_number(env, result);
    if (napi_make_callback(env, device.context, receiver, callback, 1, &argument, nullptr) == napi_pending_exception) {
        napi_value exception;
        napi_get_and_clear_last_exception(env, &exception);
        napi_fatal_exception(env, exception);
    }
    napi_close_handle_scope(env, scope);
}

void on_readable(uv_poll_t* poll, int status, int) {
    auto& device = *static_cast<Device*>(poll->data);
    int64_t result = status < 0 ? status : drain(device);
    if (result < 0) uv_poll_stop(poll);
    if (result == 0) result = device.run_count;
    if (result != 0) call_on_batch(device, result);
}

// gather(device, slabs): copies run i into slabs[i] and describes its packets.  Only within onBatch.
int64_t gather(Device& device, const Arguments& arguments) {
    auto* entry = device.shared->packets;
    for (uint32_t at = 0; at < device.run_count; at += 1) {
        const Run& run = device.shared->runs[at];
        napi_value value = nullptr;
        size_t room;
        napi_get_element(device.env, arguments.values[1], at, &value);
        auto* slab = elements<uint8_t>(device.env, value, &room);
        if (slab == nullptr || room < run.bytes) return -EINVAL;
        uint32_t offset = 0;
        for (uint32_t next = run.first; next != kNone; next = device.packets[next].next) {
            const Packet& packet = device.packets[next];
            offset += device.headroom;
            memcpy(slab + offset, device.arena.get() + packet.offset, packet.size);
            *entry++ = {offset, packet.size};
            offset += packet.size;
        }
    }
    return 0;
}

// write(device, bytes, pairs, count): sends `count` packets at (offset, size) of `bytes`; how many the kernel took.
int64_t write_packets(Device& device, const Arguments& arguments) {
    size_t size, pairs_length;
    auto* bytes = elements<uint8_t>(device.env, arguments.values[1], &size);
    auto* pairs = elements<uint32_t>(device.env, arguments.values[2], &pairs_length);
    uint32_t count = arguments.number(3);
    if (bytes == nullptr || count > pairs_length / 2) return -EINVAL;
    uint32_t taken = 0;
    for (uint32_t at = 0; at < count; at += 1) {
        uint32_t offset = pairs[2 * at], packet_size = pairs[2 * at + 1];
        if (offset > size || packet_size > size - offset) return -EINVAL;
        ssize_t written;
        do written = write(device.fd, bytes + offset, packet_size);
        while (written < 0 && errno == EINTR);
        if (written < 0 && errno == EAGAIN) {
            device.shared->queue_full += count - at;
            break;
        }
        if (written < 0) {
            device.shared->refused += 1;
            continue;
        }
        taken += 1;
        device.shared->packets_out += 1;
        device.shared->bytes_out += packet_size;
    }
    return taken;
}

// bind(device, destination, slot): 4 bytes are an IPv4 address, 16 an IPv6 address, 8 an IPv6 /64.  Slot kNone unbinds.
int64_t bind_destination(Device& device, const Arguments& arguments) {
    size_t size;
    auto* bytes = elements<uint8_t>(device.env, arguments.values[1], &size);
    uint32_t slot = arguments.number(2);
    if (slot != kNone && slot >= device.run_of_slot.size()) device.run_of_slot.resize(slot + 1, kNone);
    auto change = [&]<typename Key>(auto& table, Key key) {
        memcpy(&key, bytes, sizeof key);
        if (slot == kNone) table.erase(key);
        else table.insert_or_assign(key, slot);
    };
    if (size == sizeof(Ipv4Address)) change(device.slot_of_ipv4, Ipv4Address());
    else if (size == sizeof(Ipv6Network)) change(device.slot_of_network, Ipv6Network());
    else if (size == sizeof(Ipv6Address)) change(device.slot_of_ipv6, Ipv6Address());
    else return -EINVAL;
    return 0;
}

// The network interface vanishes with the descriptor; `poll` is the event loop's until the loop says so.
void shut(Device& device) {
    if (device.fd < 0) return;
    if (device.self != nullptr) {
        uv_poll_stop(&device.poll);
        uv_close(reinterpret_cast<uv_handle_t*>(&device.poll), [](uv_handle_t* handle) {
            auto* device = static_cast<Device*>(handle->data);
            napi_remove_async_cleanup_hook(device->cleanup);
            napi_delete_reference(device->env, device->self);
        });
        napi_async_destroy(device.env, device.context);
        napi_delete_reference(device.env, device.on_batch);
    }
    napi_delete_reference(device.env, device.shared_memory);
    close(device.fd);
    device.fd = -1;
}

int64_t close_device(Device& device, const Arguments&) {
    shut(device);
    return 0;
}

// open(name, headroom, shared): the device, or a negative errno.
napi_value open_device(napi_env env, napi_callback_info info) {
    Arguments arguments(env, info);
    auto device = std::make_unique<Device>();
    size_t shared_size;
    device->env = env;
    device->headroom = arguments.number(1);
    device->shared = reinterpret_cast<Shared*>(elements<uint8_t>(env, arguments.values[2], &shared_size));
    if (shared_size != sizeof(Shared)) return to_number(env, -EINVAL);
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL;
    napi_get_value_string_utf8(env, arguments.values[0], request.ifr_name, IFNAMSIZ, nullptr);
    device->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device->fd < 0) return to_number(env, -errno);
    if (ioctl(device->fd, TUNSETIFF, &request) < 0) {
        int error = errno;
        close(device->fd);
        return to_number(env, -error);
    }
    device->shared->index = if_nametoindex(request.ifr_name);
    memcpy(device->shared->name, request.ifr_name, IFNAMSIZ);
    napi_create_reference(env, arguments.values[2], 1, &device->shared_memory);
    auto finalize = [](napi_env, void* data, void*) {
        std::unique_ptr<Device> device(static_cast<Device*>(data));
        shut(*device);
    };
    napi_value handle;
    napi_create_external(env, device.release(), finalize, nullptr, &handle);
    return handle;
}

// start(device, onBatch): from now on onBatch(runs) is called for every batch, or onBatch(negative errno), once.
int64_t start(Device& device, const Arguments& arguments) {
    napi_env env = device.env;
    if (device.self != nullptr) return -EALREADY;
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    int error = uv_poll_init(loop, &device.poll, device.fd);
    if (error < 0) return error;
    device.poll.data = &device;
    napi_value name;
    napi_create_string_utf8(env, "TunDevice", NAPI_AUTO_LENGTH, &name);
    napi_async_init(env, nullptr, name, &device.context);
    napi_create_reference(env, arguments.values[0], 1, &device.self);
    napi_create_reference(env, arguments.values[1], 1, &device.on_batch);
    auto cleanup = [](napi_async_cleanup_hook_handle, void* data) { shut(*static_cast<Device*>(data)); };
    napi_add_async_cleanup_hook(env, cleanup, &device, &device.cleanup);
    return uv_poll_start(&device.poll, UV_READABLE, on_readable);
}

// netlink(message): sends one rtnetlink request that asks for an acknowledgement; its error, 0 or a negative errno.
napi_value netlink(napi_env env, napi_callback_info info) {
    size_t size;
    auto* message = elements<uint8_t>(env, Arguments(env, info).values[0], &size);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return to_number(env, -errno);
    struct {
        nlmsghdr header;
        nlmsgerr error;
    } answer{};
    // The kernel has answered when send() returns: not to wait for an answer can only reveal that there is none.
    bool exchanged = send(fd, message, size, 0) >= 0 && recv(fd, &answer, sizeof answer, MSG_DONTWAIT) >= 0;
    int result = !exchanged ? -errno : answer.header.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
    close(fd);
    return to_number(env, result);
}

napi_value initialize(napi_env env, napi_value exports) {
    auto add = [&](const char* name, napi_callback callback) {
        napi_value function;
        napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
        napi_set_named_property(env, exports, name, function);
    };
    add("open", open_device);
    add("start", on_device<start>);
    add("gather", on_device<gather>);
    add("write", on_device<write_packets>);
    add("bind", on_device<bind_destination>);
    add("close", on_device<close_device>);
    add("netlink", netlink);
    return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, initialize)
