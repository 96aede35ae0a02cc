// CHECK for the C++ tests: counts failures and goes on, so that one run shows them all.
#ifndef MMCORE_TESTS_CPP_CHECK_H_
#define MMCORE_TESTS_CPP_CHECK_H_

#include <cstdio>

namespace mmcore::testing {

inline int g_passed = 0;
inline int g_failed = 0;

inline void Check(bool holds, const char* text, const char* file, int line) {
  if (holds) {
    ++g_passed;
    return;
  }
  ++g_failed;
  std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, text);
}

// What main() returns: 0 where every check held and there was at least one.
inline int Report(const char* name) {
  std::printf("%s: %d checks held, %d failed\n", name, g_passed, g_failed);
  return g_failed == 0 && g_passed > 0 ? 0 : 1;
}

}  // namespace mmcore::testing

#define CHECK(condition) ::mmcore::testing::Check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)
#define CHECK_THROWS(statement, type)                                                   \
  do {                                                                                  \
    bool thrown = false;                                                                \
    try {                                                                               \
      statement;                                                                        \
    } catch (const type&) {                                                             \
      thrown = true;                                                                    \
    }                                                                                   \
    ::mmcore::testing::Check(thrown, #statement " throws " #type, __FILE__, __LINE__);  \
  } while (false)

#endif  // MMCORE_TESTS_CPP_CHECK_H_
