// The tokenizer specification: one binary blob, written by mmcore/text/spec.py, read here with full bounds
// checks. Everything is little-endian; a string is u32 size + bytes; a list is u32 count + items.
//
//   "MMTOK" 0 0 0, u32 version, u32 kind (0 byte-level BPE, 1 WordPiece), u64 max_text_bytes, u32 pad id (~0:
//   none) list of tokens: string (empty: no such id)       what each id decodes to: bytes for BPE, UTF-8 for
//   WordPiece list of added tokens: u32 id, u32 flags, string list of u32: ids before the text; list of u32:
//   ids after it BPE:       u32 flags, 256 x u32 ids of the single bytes, list of (u32 left, u32 right, u32
//   result), by rank WordPiece: u32 flags, u32 max characters a word, u32 unknown id, string continuing
//   prefix,
//              list of (string word, u32 id), list of (string piece, u32 id): pieces that begin and that
//              continue words
#ifndef MMCORE_CORE_TEXT_SPEC_H_
#define MMCORE_CORE_TEXT_SPEC_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/span.h"

namespace mmcore {
namespace text {

constexpr uint32_t kSpecVersion = 1;
constexpr size_t kMaxVocabSize = 2'000'000;
constexpr size_t kMaxMerges = 4'000'000;
constexpr size_t kMaxPieceBytes = 64 * 1024;
constexpr uint32_t kNoToken = 0xFFFFFFFF;

struct AddedToken {
  int32_t id;
  bool special;      // Left out by decode(skip_special), ruled by encode(special=).
  bool single_word;  // Found only where no word character touches it.
  bool lstrip;       // Swallows white space on its left.
  bool rstrip;
  bool late;  // Found after all tokens that are not late (Hugging Face: normalized).
  std::string_view content;
};

struct Merge {
  uint32_t left, right, result;
};

struct BpeSpec {
  bool add_prefix_space = false;
  uint32_t byte_ids[256];
  std::vector<Merge> merges;
};

struct Piece {
  std::string_view text;
  int32_t id;
};

struct WordPieceSpec {
  bool clean_text = false, split_ideographs = false, strip_accents = false, lowercase = false,
       cleanup = false;
  uint32_t max_word_chars = 0;
  int32_t unknown_id = 0;
  std::string_view prefix;
  std::vector<Piece> words;     // Pieces that begin a word, and
  std::vector<Piece> suffixes;  // those that continue one, without their prefix.
};

// Views point into the blob.
struct Spec {
  enum Kind : uint32_t { kByteLevelBpe = 0, kWordPiece = 1 };
  Kind kind;
  uint64_t max_text_bytes;
  int32_t pad_id;  // -1: none.
  std::vector<std::string_view> tokens;
  std::vector<AddedToken> added;
  std::vector<int32_t> before, after;
  BpeSpec bpe;
  WordPieceSpec wordpiece;
};

// Throws DataError where the blob is cut, has a wrong version, or an id or size out of range.
Spec ParseSpec(Span<const uint8_t> blob);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPEC_H_
