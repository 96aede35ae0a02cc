// Text as blocks of 64 bytes, each a set of bit masks that say what its bytes are. Where words begin follows
// from the masks by a few operations on whole blocks, without a branch that depends on single characters.
#ifndef MMCORE_CORE_TEXT_SPLIT_BLOCKS_H_
#define MMCORE_CORE_TEXT_SPLIT_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/api.h"
#include "core/base/cpu.h"
#include "core/text/split/word_tables.h"

namespace mmcore {
namespace text {

constexpr size_t kBlockBytes = 64;

// Where more than this many characters of a block are wide, a loop over characters is faster than masks (by a
// third, measured on Russian and Chinese).
constexpr int kManyWide = 8;

// Bit i is byte i of a block.
struct AsciiMasks {
  uint64_t letter, number, space;  // Of ASCII.
  uint64_t blank, apostrophe;
  uint64_t lead;  // First bytes of characters that are not ASCII.
  bool wide;      // More than kManyWide of them.
};

// Writes the masks of the 64 bytes at `block`. The scalar one is the definition.
using AsciiClassifier = void (*)(const char* block, AsciiMasks& masks);
void ClassifyScalar(const char* block, AsciiMasks& masks);
#if MMCORE_X86
void ClassifyAvx2(const char* block, AsciiMasks& masks);
void ClassifyAvx512(const char* block, AsciiMasks& masks);
#endif
AsciiClassifier ClassifierOf(Isa isa);

// A character has its class in all of its bytes; one that goes on in the next block as well.
struct Block {
  uint64_t letter, number, space;
  uint64_t blank, apostrophe;
  uint64_t space1, space2, space3;  // First bytes of spaces of one, two and three bytes.
  uint64_t numerals;                // First bytes of numbers.
  uint64_t inside;                  // Bytes of the text: all but in its last block.
  // Many of its characters are not ASCII: the masks know only those that begin in its first three bytes, so that
  // it can be seen what follows the block before.
  bool wide;

  uint64_t other() const { return inside & ~(letter | number | space); }
};

// The blocks of a text, one after the other.
class BlockReader {
 public:
  BlockReader(AsciiClassifier classify, const char* begin, const char* end)
      : classify_(classify), p_(begin), end_(end) {}

  // Behind the end of the text all is white space, so that no white space at the end counts as followed by
  // something.
  Block Next() {
    const auto left = static_cast<size_t>(end_ - p_);
    if (left >= kBlockBytes) {
      const Block block = Read(p_);
      p_ += kBlockBytes;
      return block;
    }
    if (left == 0) return {0, 0, ~uint64_t{0}, 0, 0, 0, 0, 0, 0, 0, false};
    char padded[kBlockBytes];
    std::memset(padded, ' ', kBlockBytes);
    std::memcpy(padded, p_, left);
    Block block = Read(padded);
    block.inside = (uint64_t{1} << left) - 1;
    p_ = end_;
    return block;
  }

 private:
  Block Read(const char* bytes) {
    AsciiMasks ascii;
    classify_(bytes, ascii);
    Block block{ascii.letter | letter_over_, ascii.number | number_over_, ascii.space | space_over_,
                ascii.blank, ascii.apostrophe, ascii.space, 0, 0, 0, ~uint64_t{0}, ascii.wide};
    letter_over_ = number_over_ = space_over_ = 0;
    if (ascii.lead != 0) AddWide(bytes, ascii.wide ? ascii.lead & 7 : ascii.lead, block);
    block.numerals = block.number & (ascii.number | ascii.lead);
    return block;
  }

  // The characters of several bytes, run by run.
  void AddWide(const char* bytes, uint64_t leads, Block& block) {
    while (leads != 0) {
      const auto at = static_cast<unsigned>(__builtin_ctzll(leads));
      const words::Char first = words::CharAt(bytes + at);
      const auto kind = static_cast<uint16_t>(first.classes & words::kPlain);
      unsigned stop = at + first.size;
      if (kind == words::kSpace) {
        (first.size == 2 ? block.space2 : block.space3) |= uint64_t{1} << at;
      } else {
        stop = RunStop(bytes, stop, kind);
      }
      Mark(kind, at, stop, block);
      leads = stop < kBlockBytes ? leads & ~uint64_t{0} << stop : 0;
    }
  }

  // Where a run of wide characters of one kind ends: up to three bytes behind the block.
  static unsigned RunStop(const char* bytes, unsigned at, uint16_t kind) {
    while (at < kBlockBytes && (bytes[at] & 0x80)) {
      const words::Char c = words::CharAt(bytes + at);
      if ((c.classes & words::kPlain) != kind) break;
      at += c.size;
    }
    return at;
  }

  void Mark(uint16_t kind, unsigned at, unsigned stop, Block& block) {
    if (kind == 0) return;
    const uint64_t from = ~uint64_t{0} << at;
    const uint64_t here = stop < kBlockBytes ? from & ~(~uint64_t{0} << stop) : from;
    const uint64_t over = stop > kBlockBytes ? (uint64_t{1} << (stop - kBlockBytes)) - 1 : 0;
    const auto set = [&](uint64_t& mask, uint64_t& mask_over) {
      mask |= here;
      mask_over |= over;
    };
    switch (kind) {
      case words::kLetter: return set(block.letter, letter_over_);
      case words::kNumber: return set(block.number, number_over_);
      default: return set(block.space, space_over_);
    }
  }

  const AsciiClassifier classify_;
  const char* p_;
  const char* const end_;
  uint64_t letter_over_ = 0, number_over_ = 0, space_over_ = 0;  // Of a character cut by the last block's end.
};

// For each byte whether the one before it has the bit; `before` is the same mask of the block before.
inline uint64_t OfPrevious(uint64_t mask, uint64_t before) { return mask << 1 | before >> 63; }
// For each byte whether the one `distance` < 64 bytes behind it has the bit.
inline uint64_t OfLater(uint64_t mask, uint64_t next, unsigned distance) {
  return mask >> distance | next << (kBlockBytes - distance);
}

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPLIT_BLOCKS_H_
