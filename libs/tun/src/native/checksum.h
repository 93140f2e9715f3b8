// Internet checksum, RFC 1071.
//
// Sums here are of words as they lie in memory, in whatever byte order the machine has: the one's complement sum does not mind
// (RFC 1071 §2 (B)), and a folded sum is stored the same way.  Addends may be wider than 16 bits (§2 (C)).
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// The loops below are compiled twice, and the processor decides.  Not under the sanitizers, which start after that decision.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(POSTERN_SANITIZED)
#define POSTERN_VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define POSTERN_VECTORISED
#endif

namespace postern {

inline uint16_t read_be16(const uint8_t* at) { return uint16_t(at[0] << 8 | at[1]); }
inline void write_be16(uint8_t* at, uint16_t value) {
    at[0] = uint8_t(value >> 8);
    at[1] = uint8_t(value);
}
inline uint32_t read_be32(const uint8_t* at) { return uint32_t(read_be16(at)) << 16 | read_be16(at + 2); }
inline void write_be32(uint8_t* at, uint32_t value) {
    write_be16(at, uint16_t(value >> 16));
    write_be16(at + 2, uint16_t(value));
}
// As it lies in memory.
inline uint16_t read_word(const uint8_t* at) {
    uint16_t word;
    memcpy(&word, at, sizeof word);
    return word;
}
inline void write_word(uint8_t* at, uint16_t word) { memcpy(at, &word, sizeof word); }

template <bool kCopy>
__attribute__((always_inline)) static inline uint64_t add_up(uint8_t* to, const uint8_t* from, size_t size) {
    typedef uint64_t Lanes __attribute__((vector_size(32)));
    Lanes low{}, high{};
    size_t at = 0;
    for (; size - at >= sizeof(Lanes); at += sizeof(Lanes)) {
        Lanes words;
        memcpy(&words, from + at, sizeof words);
        if constexpr (kCopy) memcpy(to + at, &words, sizeof words);
        low += words & 0xffffffff;
        high += words >> 32;
    }
    uint64_t sum = 0;
    Lanes lanes = (low & 0xffffffff) + (low >> 32) + (high & 0xffffffff) + (high >> 32);
    for (int lane = 0; lane < 4; lane += 1) sum += lanes[lane];
    for (; size - at >= 2; at += 2) {
        sum += read_word(from + at);
        if constexpr (kCopy) memcpy(to + at, from + at, 2);
    }
    if (at < size) {
        uint8_t last[2] = {from[at], 0};
        sum += read_word(last);
        if constexpr (kCopy) to[at] = from[at];
    }
    return sum;
}

// The sum of `size` bytes; an odd last byte counts as if a zero followed.
POSTERN_VECTORISED static uint64_t sum_of(const uint8_t* from, size_t size) {
    return add_up<false>(nullptr, from, size);
}

// The same, and copies them.
POSTERN_VECTORISED static uint64_t copy_and_sum(uint8_t* to, const uint8_t* from, size_t size) {
    return add_up<true>(to, from, size);
}

inline uint16_t fold(uint64_t sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return uint16_t(sum);
}

// The checksum to store for a sum.
inline uint16_t complement(uint64_t sum) { return uint16_t(~fold(sum)); }

// A number as it would be summed in a packet.
inline uint16_t as_word(uint16_t value) {
    uint8_t bytes[2];
    write_be16(bytes, value);
    return read_word(bytes);
}

// RFC 1624 §3 equation 3: `field` after a word of what it covers changed.
inline void update_checksum(uint8_t* field, uint16_t before, uint16_t after) {
    write_word(field, complement(uint64_t(uint16_t(~read_word(field))) + uint16_t(~before) + after));
}

}  // namespace postern
