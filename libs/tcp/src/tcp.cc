// Socket options and TCP_INFO, tcp(7).  addon.ts declares the functions and has the same order of options and of fields.
//
// Functions return a negative errno and never throw; -EINVAL also says that an argument is not what addon.ts declares.  A
// descriptor that is not of a TCP socket is refused by the kernel.
#define NAPI_VERSION 8
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <node_api.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace {

// What an option that is to stay as it is has for a value.
constexpr int32_t kUnchanged = -1;

struct Option {
    int level, name;
};

// Idle time and interval of keepalive are seconds, the user timeout milliseconds.
constexpr Option kOptions[] = {
    {IPPROTO_TCP, TCP_NODELAY},   {SOL_SOCKET, SO_KEEPALIVE},       {IPPROTO_TCP, TCP_KEEPIDLE},
    {IPPROTO_TCP, TCP_KEEPINTVL}, {IPPROTO_TCP, TCP_KEEPCNT},       {IPPROTO_TCP, TCP_USER_TIMEOUT},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT}, {SOL_SOCKET, SO_RCVBUF},
};

struct Field {
    size_t offset, size;
};

#define FIELD(name) {offsetof(tcp_info, name), sizeof(tcp_info::name)}
constexpr Field kFields[] = {
    FIELD(tcpi_rtt),           FIELD(tcpi_rttvar),       FIELD(tcpi_min_rtt),       FIELD(tcpi_data_segs_out),
    FIELD(tcpi_total_retrans), FIELD(tcpi_dsack_dups),   FIELD(tcpi_lost),          FIELD(tcpi_data_segs_in),
    FIELD(tcpi_rcv_ooopack),   FIELD(tcpi_bytes_acked),  FIELD(tcpi_notsent_bytes), FIELD(tcpi_unacked),
    FIELD(tcpi_snd_cwnd),      FIELD(tcpi_snd_mss),      FIELD(tcpi_delivery_rate),
};
#undef FIELD
static_assert(std::ranges::all_of(kFields, [](Field field) { return field.size == 4 || field.size == 8; }));

template <typename Element>
constexpr napi_typedarray_type kTypeOf = napi_int32_array;
template <>
constexpr napi_typedarray_type kTypeOf<double> = napi_float64_array;

// The elements of a typed array, or null and no length.
template <typename Element>
Element* elements(napi_env env, napi_value value, size_t* length) {
    napi_typedarray_type type;
    void* data;
    auto status = napi_get_typedarray_info(env, value, &type, length, &data, nullptr, nullptr);
    if (status == napi_ok && type == kTypeOf<Element>) return static_cast<Element*>(data);
    *length = 0;
    return nullptr;
}

napi_value to_number(napi_env env, int32_t value) {
    napi_value result;
    napi_create_int32(env, value, &result);
    return result;
}

// tune(descriptor, values): sets the options whose value is not kUnchanged; 0, or the error of the first that was refused.
napi_value tune(napi_env env, napi_callback_info info) {
    napi_value arguments[2]{};
    size_t count = std::size(arguments), length;
    int32_t descriptor;
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
    auto* values = elements<int32_t>(env, arguments[1], &length);
    if (length != std::size(kOptions) || napi_get_value_int32(env, arguments[0], &descriptor) != napi_ok) {
        return to_number(env, -EINVAL);
    }
    for (size_t at = 0; at < length; at += 1) {
        if (values[at] == kUnchanged) continue;
        const auto& [level, name] = kOptions[at];
        if (setsockopt(descriptor, level, name, &values[at], sizeof values[at]) < 0) return to_number(env, -errno);
    }
    return to_number(env, 0);
}

double read_field(const tcp_info& known, const Field& field) {
    const auto* from = reinterpret_cast<const char*>(&known) + field.offset;
    uint32_t narrow;
    uint64_t wide;
    if (field.size == sizeof narrow) {
        memcpy(&narrow, from, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, from, sizeof wide);
    return static_cast<double>(wide);
}

// One socket's row.  The kernel says how much of the structure it knows; what it does not know is NaN.
bool read_row(int descriptor, double* row) {
    tcp_info known{};
    socklen_t size = sizeof known;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &known, &size) < 0) size = 0;
    for (const auto& field : kFields) *row++ = field.offset + field.size <= size ? read_field(known, field) : NAN;
    return size > 0;
}

// sample(descriptors, rows, count): the fields of the first `count` sockets, a row each; how many of them are TCP sockets.
napi_value sample(napi_env env, napi_callback_info info) {
    napi_value arguments[3]{};
    size_t argument_count = std::size(arguments), sockets, room;
    uint32_t count;
    napi_get_cb_info(env, info, &argument_count, arguments, nullptr, nullptr);
    auto* descriptors = elements<int32_t>(env, arguments[0], &sockets);
    auto* rows = elements<double>(env, arguments[1], &room);
    if (napi_get_value_uint32(env, arguments[2], &count) != napi_ok || count > sockets ||
        count > room / std::size(kFields)) {
        return to_number(env, -EINVAL);
    }
    int32_t found = 0;
    for (uint32_t at = 0; at < count; at += 1) found += read_row(descriptors[at], rows + at * std::size(kFields));
    return to_number(env, found);
}

napi_value initialize(napi_env env, napi_value exports) {
    auto add = [&](const char* name, napi_callback callback) {
        napi_value function;
        napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
        napi_set_named_property(env, exports, name, function);
    };
    add("tune", tune);
    add("sample", sample);
    return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, initialize)
