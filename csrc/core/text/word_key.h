// Words as keys of hash tables: up to 24 bytes in three registers, zero-padded, and their number.
#ifndef MMCORE_CORE_TEXT_WORD_KEY_H_
#define MMCORE_CORE_TEXT_WORD_KEY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mmcore {
namespace text {

struct WordKey {
  static constexpr size_t kMaxBytes = 24;
  uint64_t a, b, c;
  uint32_t size;
};

// Bytes of a register that belong to a word of which `size` bytes are left (size may exceed 8).
inline uint64_t KeepBytes(uint64_t value, size_t size) {
  return size >= 8 ? value : value & ((uint64_t{1} << (8 * size)) - 1);
}

// The key of the `size` <= 24 bytes at `p`; memory may be read up to `readable_end`, and no further.
inline WordKey LoadKey(const char* p, size_t size, const char* readable_end) {
  WordKey key{0, 0, 0, static_cast<uint32_t>(size)};
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (readable_end - p >= static_cast<std::ptrdiff_t>(WordKey::kMaxBytes)) {
    std::memcpy(&key.a, p, 8);
    key.a = KeepBytes(key.a, size);
    if (size > 8) {
      std::memcpy(&key.b, p + 8, 8);
      key.b = KeepBytes(key.b, size - 8);
      if (size > 16) {
        std::memcpy(&key.c, p + 16, 8);
        key.c = KeepBytes(key.c, size - 16);
      }
    }
    return key;
  }
#endif
  char bytes[WordKey::kMaxBytes] = {};
  std::memcpy(bytes, p, size);
  std::memcpy(&key.a, bytes, 8);
  std::memcpy(&key.b, bytes + 8, 8);
  std::memcpy(&key.c, bytes + 16, 8);
  return key;
}

// High bits are the good ones.
inline uint64_t Hash(const WordKey& key) {
  uint64_t h = (key.a ^ key.size) * 0x9E3779B97F4A7C15u;
  h ^= (h >> 32) ^ (key.b * 0xC2B2AE3D27D4EB4Fu) ^ (key.c * 0x165667B19E3779F9u);
  h *= 0xD6E8FEB86659FD93u;
  return h ^ (h >> 32);
}

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_WORD_KEY_H_
