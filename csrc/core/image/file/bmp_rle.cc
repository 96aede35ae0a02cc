#include "core/image/file/bmp_rle.h"

#include <algorithm>

namespace mmcore::image {
namespace {

class Runs {
 public:
  Runs(const Bytes& file, size_t at, const RunOptions& options, uint8_t* indices)
      : file_(file), at_(at), width_(options.width), nibbles_(options.nibbles), indices_(indices),
        size_(options.height * options.width) {}

  void Read() {
    while (filled_ < size_ && file_.Has(at_, 2)) {
      const uint8_t count = file_.Byte(at_), byte = file_.Byte(at_ + 1);
      at_ += 2;
      if (count > 0) {
        Encoded(count, byte);
      } else if (!Escape(byte)) {
        break;
      }
    }
    if (filled_ < size_) {
      throw DataError("the BMP image is cut short: its runs fill " + std::to_string(filled_) + " of " +
                      std::to_string(size_) + " pixels");
    }
  }

 private:
  void Put(uint8_t index) {
    if (filled_ < size_) indices_[filled_++] = index;
  }
  void PutZeros(size_t count) {
    count = std::min(count, size_ - filled_);
    std::fill_n(indices_ + filled_, count, uint8_t{0});
    filled_ += count;
  }
  void PutNibbles(uint8_t byte, size_t count) {
    if (count > 0) Put(byte >> 4);
    if (count > 1) Put(byte & 15);
  }

  void Encoded(size_t count, uint8_t byte) {
    if (x_ + count > width_) count = x_ < width_ ? width_ - x_ : 0;
    for (size_t i = 0; i < count; ++i) {
      Put(!nibbles_ ? byte : static_cast<uint8_t>(i % 2 == 0 ? byte >> 4 : byte & 15));
    }
    x_ += count;
  }

  // False at the end of the picture.
  bool Escape(uint8_t kind) {
    if (kind == 0) {
      PutZeros((width_ - filled_ % width_) % width_);
      x_ = 0;
      return true;
    }
    if (kind == 1) return false;
    return kind == 2 ? Delta() : Absolute(kind);
  }

  bool Delta() {
    if (!file_.Has(at_, 2)) return false;
    PutZeros(file_.Byte(at_) + file_.Byte(at_ + 1) * width_);
    at_ += 2;
    x_ = filled_ % width_;
    return true;
  }

  bool Absolute(size_t count) {
    const size_t taken = std::min(count, size_ - filled_);
    const size_t num_bytes = nibbles_ ? (taken + 1) / 2 : taken;
    if (!file_.Has(at_, num_bytes)) return false;
    for (size_t i = 0; i < num_bytes; ++i) {
      if (nibbles_) {
        PutNibbles(file_.Byte(at_ + i), taken - 2 * i);
      } else {
        Put(file_.Byte(at_ + i));
      }
    }
    x_ += count;
    at_ += num_bytes;
    at_ += at_ % 2;  // What follows begins at an even byte of the file.
    return true;
  }

  const Bytes& file_;
  size_t at_;
  const size_t width_;
  const bool nibbles_;
  uint8_t* const indices_;
  const size_t size_;
  size_t filled_ = 0, x_ = 0;
};

}  // namespace

void ReadBmpRuns(const Bytes& file, size_t at, const RunOptions& options, uint8_t* indices) {
  Runs(file, at, options, indices).Read();
}

}  // namespace mmcore::image
