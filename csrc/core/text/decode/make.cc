#include <string>

#include "core/base/errors.h"
#include "core/text/decode/decoder.h"
#include "core/text/decode/decoders.h"
#include "core/text/decode/sentencepiece.h"
#include "core/text/spec_reader.h"

namespace mmcore {
namespace text {
namespace {

std::string_view NotEmpty(SpecReader& in) {
  const std::string_view text = in.String();
  if (text.empty()) in.Fail("has an empty string to find");
  return text;
}

// Fields are read in the order in which they are written, so each into a name of its own.
std::unique_ptr<const Decoder> Make(uint32_t tag, SpecReader& in) {
  switch (tag) {
    case kDecodeByteLevel: return std::make_unique<ByteLevelDecoder>();
    case kDecodeWordPiece: {
      const std::string_view prefix = in.String();
      return std::make_unique<WordPieceDecoder>(prefix, in.U32() & 1);
    }
    case kDecodeMetaspace: {
      const std::string_view mark = NotEmpty(in);
      return std::make_unique<MetaspaceDecoder>(mark, in.U32() & 1);
    }
    case kDecodeBpe: return std::make_unique<BpeDecoder>(NotEmpty(in));
    case kDecodeReplace: {
      const std::string_view from = NotEmpty(in);
      return std::make_unique<ReplaceDecoder>(from, in.String());
    }
    case kDecodeByteFallback: return std::make_unique<ByteFallbackDecoder>();
    case kDecodeFuse: return std::make_unique<FuseDecoder>();
    case kDecodeStrip: {
      const std::string_view character = NotEmpty(in);
      const size_t at_begin = in.U32();
      return std::make_unique<StripDecoder>(character, at_begin, in.U32());
    }
    case kDecodeSentencePiece: {
      const uint32_t flags = in.U32();
      const std::string_view unknown = in.String();
      return std::make_unique<SentencePieceDecoder>(flags & 1, flags & 2, flags & 4, unknown, in.String());
    }
    default: in.Fail("has the unknown decoder " + std::to_string(tag));
  }
}

}  // namespace

void TokenTexts::RefuseSize() const {
  throw LimitError("the steps of the tokenizer's decoder make more than " + std::to_string(limit_) +
                   " bytes of these ids, many times what their tokens have; decode fewer ids at once, or look for "
                   "a step in the tokenizer's file that puts long texts in place of short ones");
}

std::unique_ptr<const Decoder> MakeDecoder(const Part& part) {
  SpecReader in(part.fields, " of a decoder");
  auto made = Make(part.tag, in);
  in.ExpectEnd();
  return made;
}

}  // namespace text
}  // namespace mmcore
