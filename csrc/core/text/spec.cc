#include "core/text/spec.h"

#include <string>

#include "core/text/spec_reader.h"

namespace mmcore {
namespace text {
namespace {

constexpr std::string_view kMagic("MMTOK\0\0\0", 8);

std::vector<int32_t> ReadIds(SpecReader& in, size_t vocab_size) {
  std::vector<int32_t> ids(in.Count(1024, 4, "special ids"));
  for (int32_t& id : ids) id = in.Id(vocab_size);
  return ids;
}

AddedToken ReadAdded(SpecReader& in, size_t vocab_size) {
  AddedToken token;
  token.id = in.Id(vocab_size);
  const uint32_t flags = in.U32();
  token.special = flags & 1;
  token.single_word = flags & 2;
  token.lstrip = flags & 4;
  token.rstrip = flags & 8;
  token.late = flags & 16;
  token.content = in.Utf8();  // Found in valid UTF-8: it must not begin or end within a character.
  if (token.content.empty()) in.Fail("has an empty added token");
  return token;
}

Part ReadPart(SpecReader& in) {
  Part part;
  part.tag = in.U32();
  part.fields = in.Bytes(in.U32());
  return part;
}

std::vector<Part> ReadParts(SpecReader& in) {
  std::vector<Part> parts(in.Count(kMaxSteps, 8, "steps"));
  for (Part& part : parts) part = ReadPart(in);
  return parts;
}

}  // namespace

Spec ParseSpec(Span<const uint8_t> blob) {
  SpecReader in({reinterpret_cast<const char*>(blob.data()), blob.size()});
  if (in.Bytes(kMagic.size()) != kMagic) in.Fail("does not begin as one");
  const uint32_t version = in.U32();
  if (version != kSpecVersion) {
    in.Fail("has version " + std::to_string(version) + ", this mmcore reads version " +
            std::to_string(kSpecVersion) + ": make it again from the tokenizer's file");
  }
  Spec spec;
  spec.max_text_bytes = in.U64();
  const std::string_view pad = in.Bytes(4);
  const uint32_t flags = in.U32();
  spec.cut_at_begin = flags & 1;
  spec.fill_at_begin = flags & 2;
  spec.tokens = in.Strings("tokens");
  const size_t vocab_size = spec.tokens.size();
  spec.pad_id = SpecReader(pad, " of the pad id").OptionalId(vocab_size);
  spec.added.resize(in.Count(kMaxVocabSize, 12, "added tokens"));
  for (AddedToken& token : spec.added) token = ReadAdded(in, vocab_size);
  spec.before = ReadIds(in, vocab_size);
  spec.after = ReadIds(in, vocab_size);
  spec.normalizers = ReadParts(in);
  spec.splitters = ReadParts(in);
  spec.decoders = ReadParts(in);
  spec.model = ReadPart(in);
  in.ExpectEnd();
  return spec;
}

}  // namespace text
}  // namespace mmcore
