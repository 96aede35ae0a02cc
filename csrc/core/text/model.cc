#include "core/text/model.h"

namespace mmcore {
namespace text {

Model::~Model() = default;

}  // namespace text
}  // namespace mmcore
