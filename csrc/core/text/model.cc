#include "core/text/model.h"

namespace mmcore {
namespace text {

Model::~Model() = default;

TextPiece Model::Normalize(const TextPiece& piece, Workspace&) const { return piece; }

}  // namespace text
}  // namespace mmcore
