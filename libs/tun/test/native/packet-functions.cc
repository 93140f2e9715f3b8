// The packet functions of the addon for tests: each takes a case and returns its result.  native-cases.ts declares them.
#define NAPI_VERSION 8
#include <node_api.h>

#include "cases.h"

namespace {

using Function = postern::cases::Result (*)(const uint8_t*, size_t);

template <Function function>
napi_value call(napi_env env, napi_callback_info info) {
    napi_value argument, buffer, result;
    size_t count = 1, size = 0;
    void *data = nullptr, *copy = nullptr;
    napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
    napi_get_typedarray_info(env, argument, nullptr, &size, &data, nullptr, nullptr);
    auto bytes = function(static_cast<const uint8_t*>(data), size);
    napi_create_arraybuffer(env, bytes.size(), &copy, &buffer);
    memcpy(copy, bytes.data(), bytes.size());
    napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, &result);
    return result;
}

napi_value initialize(napi_env env, napi_value exports) {
    auto add = [&](const char* name, napi_callback callback) {
        napi_value function;
        napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
        napi_set_named_property(env, exports, name, function);
    };
    add("split", call<postern::cases::split>);
    add("take", call<postern::cases::take>);
    return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, initialize)
