// Runs cases under the sanitizers, which end the process at the first error.
//   standard input:   cases, each function:8 ('s' split, 't' take, 'd' device, 'x' a read past the end) | size:32 | bytes
//   standard output:  results, each size:32 | bytes
#include "device-case.h"

namespace {

// False at the end of the input; an input that ends within a case is an error.
bool read_exactly(void* to, size_t size) {
    size_t got = fread(to, 1, size, stdin);
    postern::cases::must(got == size || (got == 0 && feof(stdin)), "the input has whole cases");
    return got == size;
}

// So that a test can see that the sanitizers are there.
postern::cases::Result read_past_the_end(const uint8_t* bytes, size_t size) { return {bytes[size]}; }

postern::cases::Result run(char function, const uint8_t* bytes, size_t size) {
    if (function == 's') return postern::cases::split(bytes, size);
    if (function == 't') return postern::cases::take(bytes, size);
    return function == 'd' ? postern::cases::device(bytes, size) : read_past_the_end(bytes, size);
}

}  // namespace

int main() {
    for (char function; read_exactly(&function, 1);) {
        uint32_t size = 0;
        read_exactly(&size, sizeof size);
        postern::cases::Bytes bytes(size);
        if (size > 0) read_exactly(bytes.data.get(), size);
        auto result = run(function, bytes.data.get(), bytes.size);
        size = uint32_t(result.size());
        fwrite(&size, sizeof size, 1, stdout);
        fwrite(result.data(), 1, result.size(), stdout);
        // So that what is missing begins with the case that ended the process.
        fflush(stdout);
    }
}
