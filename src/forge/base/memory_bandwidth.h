// How fast this machine's memory is: the limit of everything that reads weights once.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/base/result.h"

namespace forge {

enum class PageKind {
  kSmall,  // 4 KiB, huge pages refused
  kHuge,   // 2 MiB where the system has them (madvise)
};

struct BandwidthOptions {
  int n_threads = 1;
  int64_t bytes = int64_t{1} << 30;  // all threads together; each has its own contiguous part
  PageKind pages = PageKind::kHuge;
  int n_passes = 5;  // over the whole memory, after one that touches it
};

/// Bytes that were read per second, for each pass. Memory is allocated, touched by the thread that
/// will read it, and freed again. Fails where it cannot be had. For a figure of the memory and not
/// of the caches take several times the last-level cache.
[[nodiscard]] Result<std::vector<double>> measure_read_bandwidth(const BandwidthOptions& options);

/// The same for memcpy from one half of each part to the other: bytes read plus bytes written.
[[nodiscard]] Result<std::vector<double>> measure_copy_bandwidth(const BandwidthOptions& options);

}  // namespace forge
