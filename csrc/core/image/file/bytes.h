// Bytes: the bytes of a file, read at any position; a read beyond their end is a DataError, never undefined.
#ifndef MMCORE_CORE_IMAGE_FILE_BYTES_H_
#define MMCORE_CORE_IMAGE_FILE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/errors.h"
#include "core/base/span.h"

namespace mmcore::image {

class Bytes {
 public:
  Bytes(Span<const uint8_t> bytes) : data_(bytes.data()), size_(bytes.size()) {}  // NOLINT: a view of the same.
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  size_t size() const { return size_; }
  bool Has(size_t at, size_t count) const { return at <= size_ && count <= size_ - at; }

  uint8_t Byte(size_t at) const { return *Get(at, 1); }
  uint32_t Big16(size_t at) const { return Big(Get(at, 2), 2); }
  uint32_t Big32(size_t at) const { return Big(Get(at, 4), 4); }
  uint32_t Little16(size_t at) const { return Little(Get(at, 2), 2); }
  uint32_t Little24(size_t at) const { return Little(Get(at, 3), 3); }
  uint32_t Little32(size_t at) const { return Little(Get(at, 4), 4); }

  // The `count` bytes at `at`.
  const uint8_t* Get(size_t at, size_t count) const {
    if (!Has(at, count)) {
      throw DataError("the image is cut short: " + std::to_string(count) + " bytes expected at byte " +
                      std::to_string(at) + " of " + std::to_string(size_));
    }
    return data_ + at;
  }
  Bytes Part(size_t at, size_t count) const { return {Get(at, count), count}; }

  // As Python's data.startswith(prefix, at).
  bool StartsWith(std::string_view prefix, size_t at = 0) const {
    return Has(at, prefix.size()) && std::memcmp(data_ + at, prefix.data(), prefix.size()) == 0;
  }
  // The first position of `byte` from `at` on; size() where there is none.
  size_t Find(uint8_t byte, size_t at) const {
    if (at >= size_) return size_;
    const void* found = std::memchr(data_ + at, byte, size_ - at);
    return found == nullptr ? size_ : static_cast<size_t>(static_cast<const uint8_t*>(found) - data_);
  }
  std::string_view Text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  static uint32_t Big(const uint8_t* bytes, size_t count) {
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i) value = value << 8 | bytes[i];
    return value;
  }
  static uint32_t Little(const uint8_t* bytes, size_t count) {
    uint32_t value = 0;
    for (size_t i = count; i > 0; --i) value = value << 8 | bytes[i - 1];
    return value;
  }

  const uint8_t* data_;
  size_t size_;
};

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_BYTES_H_
