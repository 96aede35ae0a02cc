#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

#include "core/base/thread_pool.h"

namespace mmcore {
namespace {

#if defined(__linux__)
size_t AffinityCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 0;
  return static_cast<size_t>(CPU_COUNT(&set));
}

// Quota divided by period, rounded up; 0 where there is no quota.
size_t CoresOf(double quota, double period) {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<size_t>((quota + period - 1) / period);
}

size_t CgroupCores() {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (v2 >> quota >> period) return quota == "max" ? 0 : CoresOf(std::atof(quota.c_str()), period);
  std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota_us = 0;
  if (v1_quota >> quota_us && v1_period >> period) return CoresOf(quota_us, period);
  return 0;
}
#endif

}  // namespace

size_t UsableCores() {
  size_t cores = std::max<size_t>(1, std::thread::hardware_concurrency());
#if defined(__linux__)
  for (const size_t limit : {AffinityCores(), CgroupCores()}) {
    if (limit != 0) cores = std::min(cores, limit);
  }
#endif
  return std::min<size_t>(cores, 1024);
}

}  // namespace mmcore
