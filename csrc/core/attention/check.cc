#include "core/attention/check.h"

#include <cmath>
#include <string>

#include "core/base/errors.h"

namespace mmcore::attention {
namespace {

void CheckSizes(const Sizes& sizes) {
  if (sizes.heads == 0 || sizes.kv_heads == 0 || sizes.head_dim == 0) {
    throw InvalidArgument("attention needs at least one head of at least one number, got " +
                          std::to_string(sizes.heads) + " heads, " + std::to_string(sizes.kv_heads) +
                          " heads of keys and head_dim " + std::to_string(sizes.head_dim));
  }
  if (sizes.heads % sizes.kv_heads != 0) {
    throw InvalidArgument("the heads of keys and values must divide those of queries, got " +
                          std::to_string(sizes.kv_heads) + " and " + std::to_string(sizes.heads));
  }
}

void CheckNumbers(const Problem& problem) {
  if (!std::isfinite(problem.scale)) {
    throw InvalidArgument("scale must be finite, got " + std::to_string(problem.scale));
  }
  if (!std::isfinite(problem.soft_cap) || problem.soft_cap < 0) {
    throw InvalidArgument("soft_cap must be finite and positive, or 0 for none, got " +
                          std::to_string(problem.soft_cap));
  }
  if (!(problem.dropout_rate >= 0 && problem.dropout_rate < 1)) {
    throw InvalidArgument("dropout_rate must be in [0, 1), got " + std::to_string(problem.dropout_rate));
  }
}

void CheckThere(bool needed, const void* data, const char* name) {
  if (needed && data == nullptr) throw InvalidArgument("attention got no memory for " + std::string(name));
}

bool HasQueries(const Sizes& sizes) { return sizes.batch > 0 && sizes.queries > 0; }
bool HasKeys(const Sizes& sizes) { return sizes.batch > 0 && sizes.keys > 0; }

}  // namespace

void CheckProblem(const Problem& problem) {
  CheckSizes(problem.sizes);
  CheckNumbers(problem);
  const bool scores = HasQueries(problem.sizes) && HasKeys(problem.sizes);
  if (scores && (problem.query_segments == nullptr) != (problem.key_segments == nullptr)) {
    throw InvalidArgument("segments must be given for both queries and keys, or for neither");
  }
  CheckThere(HasQueries(problem.sizes), problem.q.data, "q");
  CheckThere(HasKeys(problem.sizes), problem.k.data, "k");
  CheckThere(HasKeys(problem.sizes), problem.v.data, "v");
}

void CheckForward(const Problem& problem, const Output& out) {
  CheckProblem(problem);
  CheckThere(HasQueries(problem.sizes), out.data, "the result");
}

void CheckBackward(const Problem& problem, const Gradients& gradients) {
  CheckProblem(problem);
  CheckThere(HasQueries(problem.sizes), gradients.out.data, "the result");
  CheckThere(HasQueries(problem.sizes), gradients.dout.data, "the gradient of the result");
  CheckThere(HasQueries(problem.sizes), gradients.lse, "the logarithms of sums");
  if (gradients.dq.data != nullptr || gradients.dk.data != nullptr || gradients.dv.data != nullptr) {
    CheckThere(HasQueries(problem.sizes), gradients.dq.data, "the gradient of q; dq, dk and dv come together");
    CheckThere(HasKeys(problem.sizes), gradients.dk.data, "the gradient of k; dq, dk and dv come together");
    CheckThere(HasKeys(problem.sizes), gradients.dv.data, "the gradient of v; dq, dk and dv come together");
  }
  if (gradients.dbias.data != nullptr && problem.bias.data == nullptr) {
    throw InvalidArgument("the gradient of a bias was asked for without a bias");
  }
}

}  // namespace mmcore::attention
