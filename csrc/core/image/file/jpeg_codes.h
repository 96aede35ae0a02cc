// The Huffman codes of a JPEG scan, read without making pixels of them. Source: ITU-T T.81 (1992), annexes C and F.
#ifndef MMCORE_CORE_IMAGE_FILE_JPEG_CODES_H_
#define MMCORE_CORE_IMAGE_FILE_JPEG_CODES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/image/file/bytes.h"

namespace mmcore::image {

// The bits of a scan up to a marker. `at` is where they begin.
class JpegBits {
 public:
  JpegBits(const Bytes& file, size_t at) : file_(file), at_(at) {}

  // One bit, or -1 where a marker or the end of the file comes first.
  int Next();
  // False where there are not so many.
  bool Skip(size_t count);
  // Goes on behind the restart marker that comes next; false where none does.
  bool Restart();

 private:
  const Bytes& file_;
  size_t at_;
  uint32_t byte_ = 0;
  int left_ = 0;  // Bits of byte_ that are still to come.
};

// A table of codes: shorter codes come first, those of one length in order.
class JpegTable {
 public:
  bool defined() const { return defined_; }
  // From 16 counts, of the codes of 1 to 16 bits, and the values of these codes. False where there are not enough.
  bool Define(const Bytes& segment, size_t at);
  // Bytes of the definition at `at`.
  static size_t Size(const Bytes& segment, size_t at);
  // The value of the next code, or -1 where there is none.
  int Read(JpegBits& bits) const;

 private:
  bool defined_ = false;
  // For each length: the first code, how many there are, and where their values begin.
  std::array<uint32_t, 17> first_{}, counts_{}, values_at_{};
  std::array<uint8_t, 256> values_{};
};

}  // namespace mmcore::image

#endif  // MMCORE_CORE_IMAGE_FILE_JPEG_CODES_H_
