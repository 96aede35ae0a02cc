// What the specification says of each kind of model, read and checked.
#ifndef MMCORE_CORE_TEXT_MODEL_MODEL_SPEC_H_
#define MMCORE_CORE_TEXT_MODEL_MODEL_SPEC_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/spec.h"

namespace mmcore {
namespace text {

// An entry of a model's vocabulary. Tokens that were only added are none.
struct Piece {
  std::string_view text;
  int32_t id;
};

struct Merge {
  uint32_t left, right, result;
};

// Fields: u32 flags (1 byte_level, 2 byte_fallback, 4 fuse_unknown, 8 ignore_merges), u32 unknown id or ~0,
// string continuing prefix, string end-of-word suffix, 256 x u32 ids of the single bytes or ~0,
// list of (u32 left, u32 right, u32 result) by rank, list of u32: tokens that the model does not know (added
// ones), list of strings by id: the tokens as the model sees them, empty where that is what they decode to.
struct BpeSpec {
  bool byte_level = false;     // Words are bytes, and so are pieces, merges and byte_ids.
  bool byte_fallback = false;  // Unknown characters become the ids of their bytes: byte_ids has <0x00> to <0xFF>.
  bool fuse_unknown = false;   // Unknown characters in a row are one unknown id.
  bool ignore_merges = false;  // A word that is a piece is that piece, whatever the merges say.
  int32_t unknown_id = -1;     // -1: unknown characters are dropped.
  std::string_view prefix;     // Of what continues a word,
  std::string_view suffix;     // and of what ends it: "</w>".
  uint32_t byte_ids[256] = {};  // kNoId where a byte has none.
  std::vector<Merge> merges;
  std::vector<Piece> pieces;

  static constexpr uint32_t kNoId = 0xFFFFFFFF;
};

// Fields: u32 max characters a word, u32 unknown id, string continuing prefix, list of u32: tokens that the
// model does not know.
struct WordPieceSpec {
  uint32_t max_word_chars = 0;
  int32_t unknown_id = 0;
  std::string_view prefix;
  std::vector<Piece> words;     // Pieces that begin a word, and
  std::vector<Piece> suffixes;  // those that continue one, without their prefix.
};

// All throw DataError. Views point into the specification.
BpeSpec ReadBpe(const Spec& spec);
WordPieceSpec ReadWordPiece(const Spec& spec);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_MODEL_MODEL_SPEC_H_
