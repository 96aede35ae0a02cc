#include "core/text/model/make.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/base/utf8.h"
#include "core/text/model/bpe.h"
#include "core/text/model/model_spec.h"
#include "core/text/model/sentencepiece_bpe.h"
#include "core/text/model/sentencepiece_words.h"
#include "core/text/model/unigram.h"
#include "core/text/model/word_piece.h"
#include "core/text/spec_reader.h"

namespace mmcore {
namespace text {

namespace {

// Small enough that no sum over a text is infinite, rounded to float or not: a path would have no best one.
double ReadScore(SpecReader& in, bool rounded) {
  const double limit = rounded ? 1e30 : 1e290;
  const double score = in.F64();
  if (!(std::abs(score) <= limit)) in.Fail("has a score that is not finite, or whose sums may not be");
  return score;
}

// Empty where unknown characters do not become bytes.
std::vector<int32_t> ByteIds(SpecReader& in, bool byte_fallback, size_t vocab_size) {
  std::vector<int32_t> ids(256);
  for (int32_t& id : ids) id = in.OptionalId(vocab_size);
  if (!byte_fallback) ids.clear();
  return ids;
}

std::vector<Piece> PiecesOf(SpecReader& in, const Spec& spec) {
  std::vector<Piece> pieces(in.Count(kMaxVocabSize, 4, "pieces"));
  for (Piece& piece : pieces) {
    piece.id = in.Id(spec.tokens.size());
    piece.text = spec.tokens[static_cast<size_t>(piece.id)];
    if (piece.text.empty() || utf8::ValidPrefix(piece.text) != piece.text.size()) {
      in.Fail("has a piece that is empty or not UTF-8");
    }
  }
  return pieces;
}

// Of a model that has all of them where it has any.
std::vector<int32_t> AllByteIds(SpecReader& in, bool byte_fallback, size_t vocab_size) {
  std::vector<int32_t> ids = ByteIds(in, byte_fallback, vocab_size);
  if (std::count(ids.begin(), ids.end(), -1) != 0) in.Fail("has a byte without an id");
  return ids;
}

// Ranks are 0, 1, 2 and so on, each once or several times.
void ReadMerges(SpecReader& in, SentencePieceBpeOptions& options) {
  options.merges.resize(in.Count(kMaxMerges, 16, "merges"));
  options.ranks.reserve(options.merges.size());
  uint32_t next = 0;
  for (Merge& merge : options.merges) {
    merge.left = static_cast<uint32_t>(in.Id(options.vocab_size));
    merge.right = static_cast<uint32_t>(in.Id(options.vocab_size));
    merge.result = static_cast<uint32_t>(in.Id(options.vocab_size));
    const uint32_t rank = in.U32();
    if (rank > next || next - rank > 1) {
      in.Fail("has a merge of rank " + std::to_string(rank) + " where " + std::to_string(next) + " comes next");
    }
    options.ranks.push_back(rank);
    next = rank + 1;
  }
}

// Fields: u32 flags (1 byte_fallback), u32 unknown id, 256 x u32 ids of the single bytes or ~0, list of u32: pieces
// that merging leads to, list of u32: user-defined symbols, list of (u32 left, u32 right, u32 result, u32 rank).
std::unique_ptr<const WordModel> MakeSentencePieceBpe(const Spec& spec) {
  SpecReader in(spec.model.fields, " of the model");
  const size_t vocab_size = spec.tokens.size();
  SentencePieceBpeOptions options;
  const bool byte_fallback = in.U32() & 1;
  options.unknown_id = in.Id(vocab_size);
  options.byte_ids = AllByteIds(in, byte_fallback, vocab_size);
  options.pieces = PiecesOf(in, spec);
  options.symbols = PiecesOf(in, spec);
  options.vocab_size = vocab_size;
  ReadMerges(in, options);
  in.ExpectEnd();
  return std::make_unique<SentencePieceBpe>(options);
}

// Fields: u32 flags (1 byte_fallback), u32 unknown id, 256 x u32 ids of the single bytes or ~0, list of u32: pieces.
std::unique_ptr<const WordModel> MakeSentencePieceWords(const Spec& spec) {
  SpecReader in(spec.model.fields, " of the model");
  SentencePieceWordsOptions options;
  const bool byte_fallback = in.U32() & 1;
  options.unknown_id = in.Id(spec.tokens.size());
  options.byte_ids = AllByteIds(in, byte_fallback, spec.tokens.size());
  options.pieces = PiecesOf(in, spec);
  in.ExpectEnd();
  return std::make_unique<SentencePieceWords>(options);
}

// Fields: u32 flags (1 byte_fallback, 2 the rules of SentencePiece), u32 unknown id or ~0, f64 score of a character
// that is no piece, 256 x u32 ids of the single bytes or ~0, list of (string piece, u32 id, f64 score).
std::unique_ptr<const WordModel> MakeUnigram(const Spec& spec) {
  SpecReader in(spec.model.fields, " of the model");
  const size_t vocab_size = spec.tokens.size();
  UnigramOptions options;
  const uint32_t flags = in.U32();
  options.sentencepiece = flags & 2;
  options.unknown_id = in.OptionalId(vocab_size);
  options.unknown_score = ReadScore(in, options.sentencepiece);
  options.byte_ids = ByteIds(in, flags & 1, vocab_size);
  options.pieces.resize(in.Count(kMaxVocabSize, 16, "pieces"));
  for (ScoredPiece& piece : options.pieces) {
    piece.text = in.Utf8();
    piece.id = in.Id(vocab_size);
    piece.score = ReadScore(in, options.sentencepiece);
  }
  in.ExpectEnd();
  return std::make_unique<Unigram>(options);
}

}  // namespace

std::unique_ptr<const WordModel> MakeWordModel(const Spec& spec) {
  switch (spec.model.tag) {
    case kBpe: return std::make_unique<Bpe>(ReadBpe(spec), spec.tokens.size());
    case kWordPiece: return std::make_unique<WordPieceModel>(ReadWordPiece(spec));
    case kUnigram: return MakeUnigram(spec);
    case kSentencePieceBpe: return MakeSentencePieceBpe(spec);
    case kSentencePieceWords: return MakeSentencePieceWords(spec);
    default: SpecReader("").Fail("has the unknown model " + std::to_string(spec.model.tag));
  }
}

}  // namespace text
}  // namespace mmcore
