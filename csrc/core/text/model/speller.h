// Speller: a word as the symbols that merging starts with: a token a character (or byte), with what Hugging
// Face's BPE puts around it in the middle and at the end of a word, bytes for characters that the vocabulary
// lacks, the unknown token where those are missing too.
#ifndef MMCORE_CORE_TEXT_MODEL_SPELLER_H_
#define MMCORE_CORE_TEXT_MODEL_SPELLER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/model/model_spec.h"
#include "core/text/model/unit_map.h"

namespace mmcore {
namespace text {

class Speller {
 public:
  explicit Speller(const BpeSpec& spec);

  // At most so many symbols stand for `bytes` bytes of a word.
  size_t MaxSymbols(size_t bytes) const { return bytes * symbols_per_byte_ + last_symbols_; }

  // Writes the symbols of bytes [begin, end) of `word`, cut between characters, to `ids`, and the bytes that
  // each stands for to `sizes` unless that is nullptr; returns how many. `unknown_bytes`, 0 at first, are those
  // of the unknown token that the next part or the end of the word puts down.
  size_t Spell(std::string_view word, size_t begin, size_t end, uint32_t& unknown_bytes, int32_t* ids,
               uint32_t* sizes) const;

  // The same for a whole word.
  size_t Spell(std::string_view word, int32_t* ids, uint32_t* sizes = nullptr) const {
    uint32_t unknown_bytes = 0;
    return Spell(word, 0, word.size(), unknown_bytes, ids, sizes);
  }

  // Ids of all symbols there are, some of them several times.
  std::vector<int32_t> Initial() const;

  // Whether every character is spelled with some symbol, so that none is dropped.
  bool SpellsAll() const;

  // Id of a character in the middle of a word, -1 for none.
  int32_t Find(uint32_t unit) const { return maps_[0].Find(unit); }

 private:
  class Writer;

  // Where in its word a character stands: bit 0: not first, bit 1: last.
  static constexpr size_t kPlaces = 4;

  void AddToken(std::string_view token, int32_t id);
  template <bool kBytes>
  void SpellUnits(std::string_view word, size_t begin, size_t end, Writer& out) const;
  void SpellUnknown(std::string_view unit, size_t place, Writer& out) const;

  bool byte_level_, byte_fallback_, fuse_unknown_;
  int32_t unknown_id_;
  std::string_view prefix_, suffix_;
  std::vector<UnitMap> maps_;                  // As many as differ.
  std::array<size_t, kPlaces> map_of_{};       // By place.
  std::array<int32_t, 256> fallback_ids_;      // -1: there is none.
  size_t symbols_per_byte_ = 1, last_symbols_ = 0;
};

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_SPELLER_H_
