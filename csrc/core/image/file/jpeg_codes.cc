#include "core/image/file/jpeg_codes.h"

#include <algorithm>

namespace mmcore::image {

int JpegBits::Next() {
  if (left_ == 0) {
    if (!file_.Has(at_, 1)) return -1;
    byte_ = file_.Byte(at_);
    size_t next = at_ + 1;
    if (byte_ == 0xFF) {  // Followed by 0 it is a byte of the scan.
      while (file_.Has(next, 1) && file_.Byte(next) == 0xFF) ++next;
      if (!file_.Has(next, 1) || file_.Byte(next) != 0) return -1;
      ++next;
    }
    at_ = next;
    left_ = 8;
  }
  --left_;
  return static_cast<int>(byte_ >> left_ & 1);
}

bool JpegBits::Skip(size_t count) {
  for (; count > 0; --count) {
    if (Next() < 0) return false;
  }
  return true;
}

bool JpegBits::Restart() {
  left_ = 0;  // The rest of the last byte is padding.
  while (file_.Has(at_, 2) && file_.Byte(at_) == 0xFF && file_.Byte(at_ + 1) == 0xFF) ++at_;
  if (!file_.Has(at_, 2) || file_.Byte(at_) != 0xFF) return false;
  const uint8_t marker = file_.Byte(at_ + 1);
  at_ += 2;
  return marker >= 0xD0 && marker <= 0xD7;
}

size_t JpegTable::Size(const Bytes& segment, size_t at) {
  size_t size = 16;
  for (size_t i = 0; i < 16; ++i) size += segment.Byte(at + i);
  return size;
}

bool JpegTable::Define(const Bytes& segment, size_t at) {
  const size_t num_values = Size(segment, at) - 16;
  if (num_values > values_.size() || !segment.Has(at + 16, num_values)) return false;
  std::copy_n(segment.Get(at + 16, num_values), num_values, values_.begin());
  uint32_t code = 0, values = 0;
  for (size_t bits = 1; bits <= 16; ++bits) {
    counts_[bits] = segment.Byte(at + bits - 1);
    first_[bits] = code;
    values_at_[bits] = values;
    values += counts_[bits];
    code = (code + counts_[bits]) << 1;
  }
  defined_ = true;
  return true;
}

int JpegTable::Read(JpegBits& bits) const {
  uint32_t code = 0;
  for (size_t length = 1; length <= 16; ++length) {
    const int bit = bits.Next();
    if (bit < 0) return -1;
    code = code << 1 | static_cast<uint32_t>(bit);
    // Of this length where it is one of the counted ones; smaller codes would have ended before.
    if (code >= first_[length] && code - first_[length] < counts_[length]) {
      return values_[values_at_[length] + (code - first_[length])];
    }
  }
  return -1;
}

}  // namespace mmcore::image
