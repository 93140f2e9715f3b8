// libFuzzer's entry point.  FUZZED is the function: split, take or device.
#include "device-case.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
    postern::cases::FUZZED(bytes, size);
    return 0;
}
