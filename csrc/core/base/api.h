// MMCORE_API marks what the core library exports to its two edges (Python and TensorFlow); all else is hidden.
#ifndef MMCORE_CORE_BASE_API_H_
#define MMCORE_CORE_BASE_API_H_

#if defined(__GNUC__)
#define MMCORE_API __attribute__((visibility("default")))
#else
#define MMCORE_API
#endif

#endif  // MMCORE_CORE_BASE_API_H_
