// How much the code under test asks operator new for, and what it keeps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/sanitizers.h"

namespace forge {

/// Counts this thread's allocations from its construction on. One at a time.
class AllocationMeter {
 public:
#ifdef FORGE_UNDER_TSAN
  static constexpr bool kCounts = false;  // its runtime has an operator new of its own
#else
  static constexpr bool kCounts = true;
#endif

  AllocationMeter();
  ~AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;

  /// Bytes of the largest single request; 0: there was none.
  [[nodiscard]] size_t largest() const;
  /// Pieces of memory taken and not given back since; less than 0 where older ones were given back.
  [[nodiscard]] int64_t n_kept() const;
};

}  // namespace forge
