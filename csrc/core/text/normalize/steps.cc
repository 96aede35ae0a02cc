#include "core/text/normalize/steps.h"

#include <vector>

#include "core/text/normalize/bert_steps.h"
#include "core/text/normalize/form.h"
#include "core/text/normalize/lowercase.h"
#include "core/text/normalize/replace.h"

namespace mmcore {
namespace text {
namespace {

std::vector<CodePointRange> NmtRemoved() {
  return {{0x01, 0x08}, {0x0B, 0x0B}, {0x0E, 0x1F}, {0x7F, 0x7F}, {0x8F, 0x8F}, {0x9F, 0x9F}};
}

std::vector<CodePointRange> NmtSpaces() {
  return {{'\t', '\n'},     {'\f', '\r'},     {0x1680, 0x1680}, {0x200B, 0x200F},
          {0x2028, 0x2029}, {0x2581, 0x2581}, {0xFEFF, 0xFEFF}, {0xFFFD, 0xFFFD}};
}

}  // namespace

void AppendBert(const BertSwitches& switches, NormalizerSteps& steps) {
  if (switches.clean_text) steps.push_back(std::make_unique<CleanText>());
  if (switches.space_ideographs) steps.push_back(std::make_unique<SpaceIdeographs>());
  if (switches.strip_accents) {
    steps.push_back(std::make_unique<FormNormalizer>(unicode::Form::kNfd, unicode::Edition::kHuggingFace));
    steps.push_back(std::make_unique<StripMarks>(/*all=*/false));
  }
  if (switches.lowercase) steps.push_back(std::make_unique<Lowercase>());
}

void AppendNmt(NormalizerSteps& steps) {
  steps.push_back(std::make_unique<ReplaceRuns>(SetRun{CharacterSet(NmtRemoved()), 1, 1}, ""));
  steps.push_back(std::make_unique<ReplaceRuns>(SetRun{CharacterSet(NmtSpaces()), 1, 1}, " "));
}

}  // namespace text
}  // namespace mmcore
