#include "core/text/spec.h"

#include <cstring>
#include <string>

#include "core/base/errors.h"

namespace mmcore {
namespace text {
namespace {

constexpr char kMagic[8] = {'M', 'M', 'T', 'O', 'K', 0, 0, 0};

class Reader {
 public:
  explicit Reader(Span<const uint8_t> blob) : blob_(blob) {}

  const uint8_t* Bytes(size_t size) {
    if (size > blob_.size() - at_) Fail("ends early");
    at_ += size;
    return blob_.data() + at_ - size;
  }

  uint32_t U32() {
    const uint8_t* p = Bytes(4);
    return static_cast<uint32_t>(p[0]) | static_cast<uint32_t>(p[1]) << 8 |
           static_cast<uint32_t>(p[2]) << 16 | static_cast<uint32_t>(p[3]) << 24;
  }

  uint64_t U64() {
    const uint64_t low = U32();
    return low | static_cast<uint64_t>(U32()) << 32;
  }

  std::string_view String() {
    const size_t size = U32();
    if (size > kMaxPieceBytes) Fail("has a piece of " + std::to_string(size) + " bytes, the limit is 65536");
    return {reinterpret_cast<const char*>(Bytes(size)), size};
  }

  // The count of a list whose items take at least `item_bytes`: a false count cannot make anybody allocate.
  size_t Count(size_t limit, size_t item_bytes, const char* what) {
    const size_t count = U32();
    if (count > limit || count > (blob_.size() - at_) / item_bytes) {
      Fail("says it has " + std::to_string(count) + " " + what);
    }
    return count;
  }

  int32_t Id(size_t vocab_size) {
    const uint32_t id = U32();
    if (id >= vocab_size) {
      Fail("has the id " + std::to_string(id) + " in a vocabulary of " + std::to_string(vocab_size));
    }
    return static_cast<int32_t>(id);
  }

  [[noreturn]] void Fail(const std::string& what) const {
    throw DataError("tokenizer specification " + what + " (at byte " + std::to_string(at_) + ")");
  }

  void ExpectEnd() const {
    if (at_ != blob_.size()) Fail("has bytes after its end");
  }

 private:
  Span<const uint8_t> blob_;
  size_t at_ = 0;
};

std::vector<int32_t> ReadIds(Reader& in, size_t vocab_size) {
  std::vector<int32_t> ids(in.Count(1024, 4, "special ids"));
  for (int32_t& id : ids) id = in.Id(vocab_size);
  return ids;
}

std::vector<Piece> ReadPieces(Reader& in, size_t vocab_size) {
  std::vector<Piece> pieces(in.Count(kMaxVocabSize, 8, "pieces"));
  for (Piece& piece : pieces) {
    piece.text = in.String();
    piece.id = in.Id(vocab_size);
  }
  return pieces;
}

AddedToken ReadAdded(Reader& in, size_t vocab_size) {
  AddedToken token;
  token.id = in.Id(vocab_size);
  const uint32_t flags = in.U32();
  token.special = flags & 1;
  token.single_word = flags & 2;
  token.lstrip = flags & 4;
  token.rstrip = flags & 8;
  token.late = flags & 16;
  token.content = in.String();
  if (token.content.empty()) in.Fail("has an empty added token");
  return token;
}

void ReadBpe(Reader& in, size_t vocab_size, BpeSpec* bpe) {
  bpe->add_prefix_space = in.U32() & 1;
  for (uint32_t& id : bpe->byte_ids) id = static_cast<uint32_t>(in.Id(vocab_size));
  bpe->merges.resize(in.Count(kMaxMerges, 12, "merges"));
  for (Merge& merge : bpe->merges) {
    merge.left = static_cast<uint32_t>(in.Id(vocab_size));
    merge.right = static_cast<uint32_t>(in.Id(vocab_size));
    merge.result = static_cast<uint32_t>(in.Id(vocab_size));
  }
}

void ReadWordPiece(Reader& in, size_t vocab_size, WordPieceSpec* model) {
  const uint32_t flags = in.U32();
  model->clean_text = flags & 1;
  model->split_ideographs = flags & 2;
  model->strip_accents = flags & 4;
  model->lowercase = flags & 8;
  model->cleanup = flags & 16;
  model->max_word_chars = in.U32();
  model->unknown_id = in.Id(vocab_size);
  model->prefix = in.String();
  model->words = ReadPieces(in, vocab_size);
  model->suffixes = ReadPieces(in, vocab_size);
}

}  // namespace

Spec ParseSpec(Span<const uint8_t> blob) {
  Reader in(blob);
  if (std::memcmp(in.Bytes(sizeof(kMagic)), kMagic, sizeof(kMagic)) != 0) in.Fail("does not begin as one");
  const uint32_t version = in.U32();
  if (version != kSpecVersion) {
    in.Fail("has version " + std::to_string(version) + ", this mmcore reads version " +
            std::to_string(kSpecVersion) + ": make it again from the tokenizer's file");
  }
  Spec spec;
  const uint32_t kind = in.U32();
  if (kind > Spec::kWordPiece) in.Fail("has the unknown kind " + std::to_string(kind));
  spec.kind = static_cast<Spec::Kind>(kind);
  spec.max_text_bytes = in.U64();
  const uint32_t pad = in.U32();
  spec.tokens.resize(in.Count(kMaxVocabSize, 4, "tokens"));
  const size_t vocab_size = spec.tokens.size();
  for (std::string_view& token : spec.tokens) token = in.String();
  if (pad != kNoToken && pad >= vocab_size) in.Fail("has a pad id that is no token");
  spec.pad_id = pad == kNoToken ? -1 : static_cast<int32_t>(pad);
  spec.added.resize(in.Count(kMaxVocabSize, 12, "added tokens"));
  for (AddedToken& token : spec.added) token = ReadAdded(in, vocab_size);
  spec.before = ReadIds(in, vocab_size);
  spec.after = ReadIds(in, vocab_size);
  if (spec.kind == Spec::kByteLevelBpe) ReadBpe(in, vocab_size, &spec.bpe);
  if (spec.kind == Spec::kWordPiece) ReadWordPiece(in, vocab_size, &spec.wordpiece);
  in.ExpectEnd();
  return spec;
}

}  // namespace text
}  // namespace mmcore
