// Whether the scans of a JPEG file hold the picture that its header promises. A header that damage made larger is
// found out for the price of reading the codes, before memory and time are spent on pixels.
// Source: ITU-T T.81 (1992), annexes A, B, F and G.
#include <algorithm>
#include <array>

#include "core/image/file/formats.h"
#include "core/image/file/jpeg_codes.h"

namespace mmcore::image {
namespace {

constexpr uint8_t kTables = 0xC4, kEnd = 0xD9, kScan = 0xDA, kInterval = 0xDD, kProgressive = 0xC2;

struct Component {
  uint8_t id = 0;
  uint64_t across = 1, down = 1;  // Sampling factors.
};

uint64_t CeilDiv(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

class Scans {
 public:
  Scans(const Bytes& file, const FileHeader& header) : file_(file), header_(header) {}

  // True where every scan holds its part of the picture, or is of a kind that is not read here.
  bool Hold() {
    for (size_t at = NextMarker(2); file_.Has(at, 4); at = NextMarker(at)) {
      const uint8_t marker = file_.Byte(at + 1);
      if (marker == kEnd) return true;
      const size_t length = file_.Big16(at + 2);
      if (length < 2 || !file_.Has(at + 2, length)) return true;
      const Bytes segment = file_.Part(at + 4, length - 2);
      at += 2 + length;
      if (marker == header_.frame && !ReadFrame(segment)) return true;
      if (marker == kTables && !ReadTables(segment)) return true;
      if (marker == kInterval && segment.Has(0, 2)) interval_ = segment.Big16(0);
      if (marker == kScan && !ReadScan(segment, at)) return false;
    }
    return true;
  }

 private:
  // What one scan has of a component.
  struct Part {
    const Component* component = nullptr;
    const JpegTable* means = nullptr;
    const JpegTable* others = nullptr;
  };

  // From `at` on, the next marker that is not within the data of a scan.
  size_t NextMarker(size_t at) const {
    for (at = file_.Find(0xFF, at); file_.Has(at, 2); at = file_.Find(0xFF, at + 1)) {
      const uint8_t marker = file_.Byte(at + 1);
      if (marker > 0x01 && marker != 0xFF && (marker < 0xD0 || marker > 0xD7)) return at;
    }
    return file_.size();
  }

  bool ReadFrame(const Bytes& segment) {
    const size_t count = header_.components;
    if (num_components_ != 0 || count < 1 || count > components_.size() || !segment.Has(6, 3 * count)) return false;
    for (size_t i = 0; i < count; ++i) {
      const uint8_t sampling = segment.Byte(6 + 3 * i + 1);
      Component& component = components_[i];
      component = {segment.Byte(6 + 3 * i), uint64_t{sampling} >> 4, sampling & uint64_t{15}};
      if (component.across < 1 || component.across > 4 || component.down < 1 || component.down > 4) return false;
      most_across_ = std::max(most_across_, component.across);
      most_down_ = std::max(most_down_, component.down);
    }
    num_components_ = count;
    return true;
  }

  bool ReadTables(const Bytes& segment) {
    for (size_t at = 0; segment.Has(at, 17); at += 1 + JpegTable::Size(segment, at + 1)) {
      const uint8_t kind = segment.Byte(at);
      auto& tables = (kind >> 4) == 0 ? means_ : others_;
      if (!tables[kind & 3].Define(segment, at + 1)) return false;
    }
    return true;
  }

  // False where the scan whose data begin at `data` ends too early or has a code without a meaning.
  bool ReadScan(const Bytes& scan, size_t data) const {
    const size_t count = scan.Has(0, 1) ? scan.Byte(0) : 0;
    if (num_components_ == 0 || count < 1 || count > 4 || !scan.Has(1, 2 * count + 3)) return true;
    const bool progressive = header_.frame == kProgressive;
    const uint8_t first = scan.Byte(1 + 2 * count), refines = scan.Byte(3 + 2 * count) >> 4;
    if (progressive && (first != 0 || refines != 0)) return true;  // One code may stand for any number of blocks.
    std::array<Part, 4> parts;
    for (size_t i = 0; i < count; ++i) {
      const uint8_t tables = scan.Byte(2 + 2 * i);
      parts[i] = {Find(scan.Byte(1 + 2 * i)), &means_[tables >> 4 & 3], progressive ? nullptr : &others_[tables & 3]};
      const bool known = parts[i].component != nullptr && parts[i].means->defined() &&
                         (progressive || parts[i].others->defined());
      if (!known) return true;
    }
    return ReadUnits(Span<const Part>(parts.data(), count), data);
  }

  const Component* Find(uint8_t id) const {
    for (size_t i = 0; i < num_components_; ++i) {
      if (components_[i].id == id) return &components_[i];
    }
    return nullptr;
  }

  // One component comes block by block, several in units that hold a block or more of each.
  bool ReadUnits(Span<const Part> parts, size_t data) const {
    const bool alone = parts.size() == 1;
    const Component& only = *parts[0].component;
    const uint64_t width = alone ? CeilDiv(header_.width * only.across, most_across_) : header_.width;
    const uint64_t height = alone ? CeilDiv(header_.height * only.down, most_down_) : header_.height;
    const uint64_t units =
        CeilDiv(width, alone ? 8 : 8 * most_across_) * CeilDiv(height, alone ? 8 : 8 * most_down_);
    JpegBits bits(file_, data);
    for (uint64_t unit = 0; unit < units; ++unit) {
      if (interval_ != 0 && unit != 0 && unit % interval_ == 0 && !bits.Restart()) return false;
      for (const Part& part : parts) {
        const uint64_t blocks = alone ? 1 : part.component->across * part.component->down;
        for (uint64_t block = 0; block < blocks; ++block) {
          if (!ReadBlock(part, bits)) return false;
        }
      }
    }
    return true;
  }

  static bool ReadBlock(const Part& part, JpegBits& bits) {
    const int mean_bits = part.means->Read(bits);
    if (mean_bits < 0 || !bits.Skip(static_cast<size_t>(mean_bits))) return false;
    if (part.others == nullptr) return true;
    for (int at = 1; at < 64;) {
      const int code = part.others->Read(bits);
      if (code < 0) return false;
      const int zeros = code >> 4, num_bits = code & 15;
      if (num_bits == 0 && zeros != 15) return true;
      if (!bits.Skip(static_cast<size_t>(num_bits))) return false;
      at += zeros + 1;
    }
    return true;
  }

  const Bytes& file_;
  const FileHeader& header_;
  std::array<Component, 4> components_{};
  size_t num_components_ = 0;
  uint64_t most_across_ = 1, most_down_ = 1, interval_ = 0;
  std::array<JpegTable, 4> means_, others_;
};

}  // namespace

bool ScansHold(const Bytes& file, const FileHeader& header) {
  // Other frame markers: arithmetic codes, differences, no loss.
  return !header.complete || header.precision != 8 || header.frame > kProgressive || Scans(file, header).Hold();
}

}  // namespace mmcore::image
