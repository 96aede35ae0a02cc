#include "core/text/normalize/make.h"

#include <string>
#include <utility>

#include "core/base/utf8.h"
#include "core/text/normalize/bert_steps.h"
#include "core/text/normalize/edges.h"
#include "core/text/normalize/form.h"
#include "core/text/normalize/lowercase.h"
#include "core/text/normalize/precompiled.h"
#include "core/text/normalize/replace.h"
#include "core/text/normalize/sentencepiece.h"
#include "core/text/spec_reader.h"

namespace mmcore {
namespace text {
namespace {

template <typename Step, typename... Args>
void Append(NormalizerSteps& steps, Args&&... args) {
  steps.push_back(std::make_unique<Step>(std::forward<Args>(args)...));
}

void AppendForm(unicode::Form form, NormalizerSteps& steps) {
  Append<FormNormalizer>(steps, form, unicode::Edition::kHuggingFace);
}

void AppendStrip(SpecReader& in, NormalizerSteps& steps) {
  const uint32_t flags = in.U32();
  Append<Strip>(steps, (flags & 1) != 0, (flags & 2) != 0);
}

void AppendReplace(SpecReader& in, NormalizerSteps& steps) {
  std::string wanted(in.Utf8()), content(in.Utf8());
  if (wanted.empty()) in.Fail("replaces an empty string");
  Append<ReplaceString>(steps, std::move(wanted), std::move(content));
}

void AppendReplaceSet(SpecReader& in, NormalizerSteps& steps) {
  SetRun run = ReadSetRun(in);
  Append<ReplaceRuns>(steps, std::move(run), std::string(in.Utf8()));
}

void AppendBertNormalizer(SpecReader& in, NormalizerSteps& steps) {
  const uint32_t flags = in.U32();
  AppendBert({(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0}, steps);
}

void AppendSentencePiece(SpecReader& in, NormalizerSteps& steps) {
  SentencePieceOptions options;
  const uint32_t flags = in.U32();
  options.add_dummy_prefix = flags & 1;
  options.space_as_suffix = flags & 2;
  options.remove_extra_whitespaces = flags & 4;
  options.escape_whitespaces = flags & 8;
  options.symbols = in.Strings("symbols");
  for (const std::string_view symbol : options.symbols) {
    if (symbol.empty() || utf8::ValidPrefix(symbol) != symbol.size()) {
      in.Fail("has a symbol that is empty or not UTF-8");
    }
  }
  const size_t size = in.U32();
  options.charsmap = in.Bytes(size);
  Append<SentencePieceNormalizer>(steps, options);
}

}  // namespace

void MakeNormalizer(const Part& part, NormalizerSteps& steps) {
  if (part.tag == kPrecompiled) return Append<Precompiled>(steps, part.fields);
  SpecReader in(part.fields, " of a normalizer");
  switch (part.tag) {
    case kNfc: AppendForm(unicode::Form::kNfc, steps); break;
    case kNfd: AppendForm(unicode::Form::kNfd, steps); break;
    case kNfkc: AppendForm(unicode::Form::kNfkc, steps); break;
    case kNfkd: AppendForm(unicode::Form::kNfkd, steps); break;
    case kLowercase: Append<Lowercase>(steps); break;
    case kStripAccents: Append<StripMarks>(steps, /*all=*/true); break;
    case kStrip: AppendStrip(in, steps); break;
    case kReplace: AppendReplace(in, steps); break;
    case kReplaceSet: AppendReplaceSet(in, steps); break;
    case kPrepend: Append<Prepend>(steps, std::string(in.Utf8())); break;
    case kBertNormalize: AppendBertNormalizer(in, steps); break;
    case kNmt: AppendNmt(steps); break;
    case kSentencePiece: AppendSentencePiece(in, steps); break;
    default: in.Fail("has the unknown normalizer " + std::to_string(part.tag));
  }
  in.ExpectEnd();
}

}  // namespace text
}  // namespace mmcore
