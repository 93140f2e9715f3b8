// The native addon: a TUN device whose packets cross into JavaScript in batches, never one by one.  addon.ts declares the
// functions; native/ has what happens to packets, which knows nothing of Node.
//
// Towards clients, per wake-up of the event loop:
//   1. drain    read() super-packets into the arena until the kernel has no more or the batch is full; look each destination
//               up; plan the packets that it will become; link those of one session into a run.
//   2. onBatch  one call into JavaScript.  It finds the runs described in shared memory, and calls
//   3. gather   with memory for each run, as much as the session's queue has room for.  The packets are written there as they
//               go to the client, SSTP and PPP headers included; what has no room is dropped.
// From clients:
//   1. take     a piece of a client's stream: its IP packets are checked and collected where they lie.
//   2. flush    gives them to the kernel as super-packets.
//   3. read     a batch at once, where so much was given that the answers to it would not fit into the kernel's queue.
//
// Functions return a negative errno and never throw; -EINVAL also says that an argument is not what addon.ts declares.
#define NAPI_VERSION 8
#include <linux/rtnetlink.h>
#include <node_api.h>
#include <sys/socket.h>
#include <uv.h>

#include "native/device.h"

namespace {

using postern::Device;
using postern::kNone;

// A device and what Node has to know of it.
struct Handle {
    napi_env env = nullptr;
    Device device;
    std::vector<napi_ref> memory;  // JavaScript's, that the device uses

    // Set by start().
    uv_poll_t poll{};
    napi_async_context context = nullptr;
    napi_async_cleanup_hook_handle cleanup = nullptr;
    napi_ref on_batch = nullptr;
    napi_ref self = nullptr;  // keeps the handle, and with it this, until the event loop has let go of `poll`
};

struct Arguments {
    const napi_env env;
    napi_value values[6]{};

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

// The elements of a Uint8Array or Uint32Array, which may be none; or null, and no length.
template <typename Element>
Element* elements(napi_env env, napi_value value, size_t* length) {
    static Element none;
    napi_typedarray_type type;
    void* data;
    auto status = napi_get_typedarray_info(env, value, &type, length, &data, nullptr, nullptr);
    auto expected = sizeof(Element) == 1 ? napi_uint8_array : napi_uint32_array;
    if (status == napi_ok && type == expected) return data == nullptr ? &none : static_cast<Element*>(data);
    *length = 0;
    return nullptr;
}

napi_value to_number(napi_env env, int64_t value) {
    napi_value result;
    napi_create_int64(env, value, &result);
    return result;
}

// What JavaScript calls for `function`; the first argument there is the device.
template <int64_t (*function)(Handle&, const Arguments&)>
napi_value on_device(napi_env env, napi_callback_info info) {
    Arguments arguments(env, info);
    void* handle = nullptr;
    napi_get_value_external(env, arguments.values[0], &handle);
    if (handle == nullptr || static_cast<Handle*>(handle)->device.fd < 0) return to_number(env, -EBADF);
    return to_number(env, function(*static_cast<Handle*>(handle), arguments));
}

void call_on_batch(const Handle& handle, int64_t result) {
    napi_env env = handle.env;
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_value receiver, callback;
    napi_get_global(env, &receiver);
    napi_get_reference_value(env, handle.on_batch, &callback);
    napi_value argument = to_number(env, result);
    if (napi_make_callback(env, handle.context, receiver, callback, 1, &argument, nullptr) == napi_pending_exception) {
        napi_value exception;
        napi_get_and_clear_last_exception(env, &exception);
        napi_fatal_exception(env, exception);
    }
    napi_close_handle_scope(env, scope);
}

void on_readable(uv_poll_t* poll, int status, int) {
    auto& handle = *static_cast<Handle*>(poll->data);
    Device& device = handle.device;
    int64_t result = status < 0 ? status : device.drain();
    if (result < 0) uv_poll_stop(poll);
    else result = device.run_count;
    if (result != 0 || device.shared->too_big_count > 0) call_on_batch(handle, result);
}

// gather(device, memories): writes run i of the batch in hand into memories[i].  Once for each batch.
int64_t gather(Handle& handle, const Arguments& arguments) {
    for (uint32_t run = 0; run < handle.device.run_count; run += 1) {
        napi_value value = nullptr;
        size_t room;
        napi_get_element(handle.env, arguments.values[1], run, &value);
        auto* memory = elements<uint8_t>(handle.env, value, &room);
        if (memory == nullptr) return -EINVAL;
        handle.device.write_run(run, memory, room);
    }
    return 0;
}

// take(device, slot, bytes, at, end, lasting): where it stopped.
int64_t take(Handle& handle, const Arguments& arguments) {
    size_t size;
    uint32_t slot = arguments.number(1), at = arguments.number(3), end = arguments.number(4);
    auto* bytes = elements<uint8_t>(handle.env, arguments.values[2], &size);
    bool lasting = false;
    napi_get_value_bool(handle.env, arguments.values[5], &lasting);
    if (bytes == nullptr || slot >= handle.device.slots || end > size || at > end) return -EINVAL;
    return int64_t(handle.device.take(slot, bytes, at, end, lasting));
}

int64_t flush(Handle& handle, const Arguments&) {
    handle.device.flush();
    return 0;
}

// read(device): a batch without waiting for a wake-up; how many runs it has.  Not within onBatch.
int64_t read_batch(Handle& handle, const Arguments&) {
    int error = handle.device.drain();
    return error < 0 ? error : handle.device.run_count;
}

// write(device, bytes, pairs, count): sends `count` packets at (offset, size) of `bytes`.
int64_t write_packets(Handle& handle, const Arguments& arguments) {
    size_t size, pairs_length;
    auto* bytes = elements<uint8_t>(handle.env, arguments.values[1], &size);
    auto* pairs = elements<uint32_t>(handle.env, arguments.values[2], &pairs_length);
    uint32_t count = arguments.number(3);
    if (bytes == nullptr || count > pairs_length / 2) return -EINVAL;
    for (uint32_t at = 0; at < count; at += 1) {
        uint32_t offset = pairs[2 * at], packet_size = pairs[2 * at + 1];
        if (offset > size || packet_size > size - offset) return -EINVAL;
        postern::OffloadHeader none{};
        iovec pieces[2] = {{&none, sizeof none}, {bytes + offset, packet_size}};
        handle.device.emit(pieces, 2, 1);
    }
    return 0;
}

// bind(device, destination, slot): 4 bytes are an IPv4 address, 16 an IPv6 address, 8 an IPv6 /64, none is every other
// destination.  Slot kNone unbinds.
int64_t bind_destination(Handle& handle, const Arguments& arguments) {
    size_t size;
    Device& device = handle.device;
    auto* bytes = elements<uint8_t>(handle.env, arguments.values[1], &size);
    uint32_t slot = arguments.number(2);
    if (bytes == nullptr || (slot != kNone && slot >= device.slots)) return -EINVAL;
    auto change = [&]<typename Key>(auto& table, Key key) {
        memcpy(&key, bytes, sizeof key);
        if (slot == kNone) table.erase(key);
        else table.insert_or_assign(key, slot);
        return 0;
    };
    if (size == 4) return change(device.slot_of_ipv4, uint32_t());
    if (size == 8) return change(device.slot_of_network, uint64_t());
    if (size == 16) return change(device.slot_of_ipv6, std::array<uint64_t, 2>());
    if (size != 0) return -EINVAL;
    device.default_slot = slot;
    return 0;
}

// The network interface vanishes with the descriptor; `poll` is the event loop's until the loop says so.
void shut(Handle& handle) {
    if (handle.device.fd < 0) return;
    if (handle.self != nullptr) {
        uv_poll_stop(&handle.poll);
        uv_close(reinterpret_cast<uv_handle_t*>(&handle.poll), [](uv_handle_t* poll) {
            auto* handle = static_cast<Handle*>(poll->data);
            napi_remove_async_cleanup_hook(handle->cleanup);
            napi_delete_reference(handle->env, handle->self);
        });
        napi_async_destroy(handle.env, handle.context);
        napi_delete_reference(handle.env, handle.on_batch);
    }
    handle.device.shut();
    for (napi_ref memory : handle.memory) napi_delete_reference(handle.env, memory);
}

int64_t close_device(Handle& handle, const Arguments&) {
    shut(handle);
    return 0;
}

// open(name, offload, shared, sessions, arena): the device, or a negative errno.
napi_value open_device(napi_env env, napi_callback_info info) {
    Arguments arguments(env, info);
    auto handle = std::make_unique<Handle>();
    Device& device = handle->device;
    handle->env = env;
    char name[IFNAMSIZ] = "";
    size_t shared_size, sessions_size, arena_size;
    napi_get_value_string_utf8(env, arguments.values[0], name, sizeof name, nullptr);
    uint32_t offload = arguments.number(1);
    device.shared = reinterpret_cast<postern::Shared*>(elements<uint8_t>(env, arguments.values[2], &shared_size));
    device.sessions = reinterpret_cast<postern::Session*>(elements<uint8_t>(env, arguments.values[3], &sessions_size));
    device.arena = elements<uint8_t>(env, arguments.values[4], &arena_size);
    device.slots = uint32_t(sessions_size / sizeof(postern::Session));
    bool fits = shared_size == sizeof(postern::Shared) && device.slots > 0 && arena_size == postern::kArena;
    if (!fits || offload > postern::kUdpSegments) return to_number(env, -EINVAL);
    int error = device.create(name, offload);
    if (error < 0) return to_number(env, error);
    for (size_t at = 2; at < 5; at += 1) {
        napi_ref reference;
        napi_create_reference(env, arguments.values[at], 1, &reference);
        handle->memory.push_back(reference);
    }
    auto finalize = [](napi_env, void* data, void*) {
        std::unique_ptr<Handle> handle(static_cast<Handle*>(data));
        shut(*handle);
    };
    napi_value value;
    napi_create_external(env, handle.release(), finalize, nullptr, &value);
    return value;
}

// start(device, onBatch): from now on onBatch(runs) is called for every batch, or onBatch(negative errno), once.
int64_t start(Handle& handle, const Arguments& arguments) {
    napi_env env = handle.env;
    if (handle.self != nullptr) return -EALREADY;
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    int error = uv_poll_init(loop, &handle.poll, handle.device.fd);
    if (error < 0) return error;
    handle.poll.data = &handle;
    napi_value name;
    napi_create_string_utf8(env, "TunDevice", NAPI_AUTO_LENGTH, &name);
    napi_async_init(env, nullptr, name, &handle.context);
    napi_create_reference(env, arguments.values[0], 1, &handle.self);
    napi_create_reference(env, arguments.values[1], 1, &handle.on_batch);
    auto cleanup = [](napi_async_cleanup_hook_handle, void* data) { shut(*static_cast<Handle*>(data)); };
    napi_add_async_cleanup_hook(env, cleanup, &handle, &handle.cleanup);
    return uv_poll_start(&handle.poll, UV_READABLE, on_readable);
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
    add("take", on_device<take>);
    add("flush", on_device<flush>);
    add("read", on_device<read_batch>);
    add("write", on_device<write_packets>);
    add("bind", on_device<bind_destination>);
    add("close", on_device<close_device>);
    add("netlink", netlink);
    return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, initialize)
