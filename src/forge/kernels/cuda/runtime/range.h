// Named stretches of the host's time for a profiler: NVIDIA's Nsight Systems shows them above the
// kernels that were queued within.
#pragma once

namespace forge::kernels::cuda {

/// Opens a range, and closes it when it goes out of scope. Ranges nest; each belongs to its thread.
/// Costs a few nanoseconds where no profiler is attached.
class Range {
 public:
  /// name: a literal.
  explicit Range(const char* name);
  ~Range();
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
};

}  // namespace forge::kernels::cuda
