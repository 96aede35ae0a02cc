#include "core/image/file/lzw.h"

namespace mmcore::image {

LzwReader::LzwReader(const Bytes& file, size_t at, size_t literal_bits)
    : file_(file),
      at_(at),
      block_end_(at),
      literal_bits_(literal_bits),
      clear_(size_t{1} << (literal_bits & 15)),
      end_(clear_ + 1) {
  if (literal_bits < 1 || literal_bits > 8) {
    throw DataError("the GIF image is damaged: expected codes that begin with 1 to 8 bits, found " +
                    std::to_string(literal_bits));
  }
  Clear();
}

void LzwReader::Clear() {
  code_bits_ = literal_bits_ + 1;
  next_ = end_ + 1;
  previous_ = kTableSize;
}

size_t LzwReader::ReadCode() {
  while (num_bits_ < code_bits_) {
    if (at_ == block_end_) {
      const size_t size = file_.Byte(at_++);
      if (size == 0) throw DataError("the GIF image is cut short: its codes end before its picture");
      block_end_ = at_ + size;
    }
    bits_ |= uint32_t{file_.Byte(at_++)} << num_bits_;
    num_bits_ += 8;
  }
  const size_t code = bits_ & ((uint32_t{1} << code_bits_) - 1);
  bits_ >>= code_bits_;
  num_bits_ -= code_bits_;
  return code;
}

Span<const uint8_t> LzwReader::Next() {
  size_t code = ReadCode();
  while (code == clear_) {
    Clear();
    code = ReadCode();
  }
  if (code == end_) throw DataError("the GIF image is cut short: its codes end before its picture");
  const bool first = previous_ == kTableSize;
  const bool repeats = code == next_ && !first && next_ < kTableSize;  // The code that is only now being defined.
  if (first ? code > clear_ : code >= next_ && !repeats) {
    throw DataError("the GIF image is damaged: it has a code without a meaning");
  }
  if (repeats) Add(previous_, previous_first_);
  const Span<const uint8_t> bytes = Expand(code);
  if (!first && !repeats) Add(previous_, bytes[0]);
  previous_ = code;
  previous_first_ = bytes[0];
  return bytes;
}

// Adding comes after reading a code and before the next is read, so that its size grows in time.
void LzwReader::Add(size_t prefix, uint8_t last) {
  if (next_ >= kTableSize) return;
  prefixes_[next_] = static_cast<uint16_t>(prefix);
  lasts_[next_] = last;
  ++next_;
  if (next_ == size_t{1} << code_bits_ && code_bits_ < kMostBits) ++code_bits_;
}

Span<const uint8_t> LzwReader::Expand(size_t code) {
  size_t begin = expanded_.size();
  while (code > end_) {  // Each prefix is an earlier entry, so that this ends.
    expanded_[--begin] = lasts_[code];
    code = prefixes_[code];
  }
  expanded_[--begin] = static_cast<uint8_t>(code);
  return {expanded_.data() + begin, expanded_.size() - begin};
}

}  // namespace mmcore::image
