// How much the code under test asks operator new for.
#pragma once

#include <cstddef>

namespace forge::formats {

/// Counts this thread's allocations from its construction on. One at a time.
class AllocationMeter {
 public:
  AllocationMeter();
  ~AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;

  /// Bytes of the largest single request.
  [[nodiscard]] size_t largest() const;
};

}  // namespace forge::formats
