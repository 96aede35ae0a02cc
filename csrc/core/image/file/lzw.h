// The LZW codes of a GIF frame. Source: T. Welch, A Technique for High-Performance Data Compression, 1984, with the
// codes of varying size, "clear" and "end", of GIF 89a, appendix F.
#ifndef MMCORE_CORE_IMAGE_FILE_LZW_H_
#define MMCORE_CORE_IMAGE_FILE_LZW_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/span.h"
#include "core/image/file/bytes.h"

namespace mmcore::image {

class LzwReader {
 public:
  // Codes lie in the sub-blocks that begin at byte `at`. Throws DataError for other than 1 to 8 bits a literal.
  LzwReader(const Bytes& file, size_t at, size_t literal_bits);

  // The bytes of the next code: at least one, valid until the next call. Throws DataError where there are no more, or
  // a code means nothing.
  Span<const uint8_t> Next();

 private:
  static constexpr size_t kMostBits = 12, kTableSize = size_t{1} << kMostBits;

  size_t ReadCode();
  void Clear();
  Span<const uint8_t> Expand(size_t code);
  void Add(size_t prefix, uint8_t last);

  const Bytes& file_;
  size_t at_, block_end_;
  uint32_t bits_ = 0;
  size_t num_bits_ = 0;
  const size_t literal_bits_, clear_, end_;
  size_t code_bits_ = 0, next_ = 0;
  size_t previous_ = kTableSize;  // kTableSize: none since the last "clear".
  uint8_t previous_first_ = 0;
  std::array<uint16_t, kTableSize> prefixes_{};
  std::array<uint8_t, kTableSize> lasts_{};
  std::array<uint8_t, kTableSize + 1> expanded_{};  // Filled from its end.
};

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_LZW_H_
