#include "core/text/model/model_spec.h"

#include <algorithm>
#include <iterator>

#include "core/text/spec_reader.h"

namespace mmcore {
namespace text {
namespace {

constexpr const char* kWhere = " of the model";
constexpr size_t kMaxAffixBytes = 64;

// The entries of `tokens` but for empty ones (there is no such id) and those that the model does not know.
std::vector<Piece> ReadPieces(SpecReader& in, const std::vector<std::string_view>& tokens) {
  std::vector<bool> outside(tokens.size(), false);
  const size_t count = in.Count(kMaxVocabSize, 4, "tokens outside of the model");
  for (size_t i = 0; i < count; ++i) outside[static_cast<size_t>(in.Id(tokens.size()))] = true;
  std::vector<Piece> pieces;
  pieces.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (!outside[id] && !tokens[id].empty()) pieces.push_back({tokens[id], static_cast<int32_t>(id)});
  }
  return pieces;
}

}  // namespace

BpeSpec ReadBpe(const Spec& spec) {
  SpecReader in(spec.model.fields, kWhere);
  const size_t vocab_size = spec.tokens.size();
  BpeSpec bpe;
  const uint32_t flags = in.U32();
  bpe.byte_level = flags & 1;
  bpe.byte_fallback = flags & 2;
  bpe.fuse_unknown = flags & 4;
  bpe.ignore_merges = flags & 8;
  bpe.unknown_id = in.OptionalId(vocab_size);
  bpe.prefix = in.String();
  bpe.suffix = in.String();
  // A missing character may be spelled with the bytes of both: long ones would make texts hundreds of times as long.
  if (bpe.prefix.size() > kMaxAffixBytes || bpe.suffix.size() > kMaxAffixBytes) in.Fail("has a long prefix or suffix");
  for (uint32_t& id : bpe.byte_ids) id = static_cast<uint32_t>(in.OptionalId(vocab_size));
  bpe.merges.resize(in.Count(kMaxMerges, 12, "merges"));
  for (Merge& merge : bpe.merges) {
    merge.left = static_cast<uint32_t>(in.Id(vocab_size));
    merge.right = static_cast<uint32_t>(in.Id(vocab_size));
    merge.result = static_cast<uint32_t>(in.Id(vocab_size));
  }
  bpe.pieces = ReadPieces(in, spec.tokens);
  const std::vector<std::string_view> own = in.Strings("tokens of its own");
  if (!own.empty() && own.size() != vocab_size) in.Fail("has tokens of its own, but not for each id");
  if (!own.empty()) {
    for (Piece& piece : bpe.pieces) piece.text = own[static_cast<size_t>(piece.id)];
    bpe.pieces.erase(std::remove_if(bpe.pieces.begin(), bpe.pieces.end(),
                                    [](const Piece& piece) { return piece.text.empty(); }),
                     bpe.pieces.end());
  }
  const uint32_t* const end = std::end(bpe.byte_ids);
  if (bpe.byte_level && std::find(std::cbegin(bpe.byte_ids), end, BpeSpec::kNoId) != end) {
    in.Fail("has bytes without an id in a byte-level vocabulary");
  }
  in.ExpectEnd();
  return bpe;
}

WordPieceSpec ReadWordPiece(const Spec& spec) {
  SpecReader in(spec.model.fields, kWhere);
  WordPieceSpec model;
  model.max_word_chars = in.U32();
  model.unknown_id = in.Id(spec.tokens.size());
  model.prefix = in.String();
  model.words = ReadPieces(in, spec.tokens);
  in.ExpectEnd();
  for (const Piece& piece : model.words) {
    if (piece.text.substr(0, model.prefix.size()) != model.prefix) continue;
    model.suffixes.push_back({piece.text.substr(model.prefix.size()), piece.id});
  }
  return model;
}

}  // namespace text
}  // namespace mmcore
