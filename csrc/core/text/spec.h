// The tokenizer specification: one binary blob, written by mmcore/text/spec/, read here with full bounds
// checks. Everything is little-endian; a string is u32 size + bytes; a list is u32 count + items.
//
//   "MMTOK" 0 0 0, u32 version, u64 max_text_bytes
//   u32 pad id (~0: none), u32 flags (1: texts are cut, 2: rows are filled, at their begin)
//   list of tokens: string (empty: no such id), by id: what a decoder begins with. Bytes where the first
//     decoder step is kDecodeByteLevel, else UTF-8
//   list of added tokens: u32 id, u32 flags, string
//   list of u32: ids before the text; list of u32: ids after it
//   list of parts: normalizers; list of parts: splitters; list of parts: decoders
//   part: the model
//
// A part is u32 tag + its fields as one string (of any size). What the fields are stands beside the tags.
#ifndef MMCORE_CORE_TEXT_SPEC_H_
#define MMCORE_CORE_TEXT_SPEC_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/span.h"

namespace mmcore {
namespace text {

constexpr uint32_t kSpecVersion = 3;
constexpr size_t kMaxVocabSize = 2'000'000;
constexpr size_t kMaxMerges = 4'000'000;
constexpr size_t kMaxPieceBytes = 64 * 1024;
constexpr size_t kMaxSteps = 64;  // Of each family.

enum NormalizerTag : uint32_t {
  kNfc = 0,
  kNfd = 1,
  kNfkc = 2,
  kNfkd = 3,
  kLowercase = 4,
  kStripAccents = 5,
  kStrip = 6,         // u32 flags: 1 left, 2 right
  kReplace = 7,       // string to find, string to put there
  kPrepend = 8,       // string
  kBertNormalize = 9,  // u32 flags: 1 clean_text, 2 split_ideographs, 4 strip_accents, 8 lowercase
  kPrecompiled = 10,  // the charsmap of SentencePiece, to the end
  kNmt = 11,
  // u32 flags: 1 add_dummy_prefix, 2 treat_whitespace_as_suffix, 4 remove_extra_whitespaces, 8
  // escape_whitespaces; list of strings: user-defined symbols; u32 size + bytes: the charsmap
  kSentencePiece = 12,
  kReplaceSet = 13,  // a run of characters of a set (core/text/character_set.h), string to put there
};

enum SplitterTag : uint32_t {
  kBertSplit = 0,
  kWhitespace = 1,
  kWhitespaceSplit = 2,
  kPunctuation = 3,   // u32 behaviour
  kDigits = 4,        // u32 flags: 1 individual
  kSplitString = 5,   // u32 behaviour, u32 flags: 1 invert, string
  kSplitPattern = 6,  // u32 behaviour, u32 flags: 1 invert, u32 pattern (split/splitters.h)
  kMark = 7,          // u32 flags: 1 spaces become the mark, u32 where (0 never, 1 first, 2 always), string mark
  kFixedLength = 8,   // u32 characters
  // u32 behaviour, u32 flags: 1 invert, 2 one character of another set may stand before; a run of characters of a
  // set (core/text/character_set.h), with flag 2 the other set
  kSplitSet = 9,
  // u32 behaviour, u32 flags: 1 invert, u32 at least, u32 at most (~0: any number) so many bytes, 256 bits: which
  kSplitBytes = 10,
};

// Behaviours of splitters: 0 Removed, 1 Isolated, 2 MergedWithPrevious, 3 MergedWithNext, 4 Contiguous.

enum ModelTag : uint32_t {
  kBpe = 0,        // See model/model_spec.h.
  kWordPiece = 1,  // The same.
  kUnigram = 2,    // See model/make.cc.
  kSentencePieceBpe = 3,    // The same.
  kSentencePieceWords = 4,  // The same.
};

enum DecoderTag : uint32_t {
  kDecodeByteLevel = 0,
  kDecodeWordPiece = 1,  // string prefix, u32 flags: 1 cleanup
  kDecodeMetaspace = 2,  // string mark, u32 flags: 1 the first token's are dropped
  kDecodeBpe = 3,        // string suffix
  kDecodeReplace = 4,    // string to find, string to put there
  kDecodeByteFallback = 5,
  kDecodeFuse = 6,
  kDecodeSentencePiece = 8,  // u32 flags: 1 first mark dropped, 2 all first marks, 4 bytes; string unknown, surface
  kDecodeStrip = 7,  // string character, u32 at most so many at the begin, u32 at the end
};

// One step, or the model; views point into the blob.
struct Part {
  uint32_t tag = 0;
  std::string_view fields;
};

struct AddedToken {
  int32_t id;
  bool special;      // Left out by decode(skip_special), ruled by encode(special=).
  bool single_word;  // Found only where no word character touches it.
  bool lstrip;       // Swallows white space on its left.
  bool rstrip;
  bool late;  // Hugging Face's normalized: its normalized content is found in the normalized text.
  std::string_view content;
};

// Views point into the blob.
struct Spec {
  uint64_t max_text_bytes;
  int32_t pad_id;      // -1: none.
  bool cut_at_begin;   // Truncation drops the begin of a text, not its end.
  bool fill_at_begin;  // Padding comes before the ids of a row, not after them.
  std::vector<std::string_view> tokens;
  std::vector<AddedToken> added;
  std::vector<int32_t> before, after;
  std::vector<Part> normalizers, splitters, decoders;
  Part model;
};

// Throws DataError where the blob is cut, has a wrong version, or an id or size out of range. The fields of
// parts are checked by the functions that make something of them.
Spec ParseSpec(Span<const uint8_t> blob);

}  // namespace text
}  // namespace mmcore

#endif  // MMCORE_CORE_TEXT_SPEC_H_
