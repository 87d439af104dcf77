// How fast a device reads its memory: what decoding is measured against.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/base/result.h"

namespace forge::kernels::cuda {

/// Bytes per second of n_passes passes over so many bytes, after one that is not counted. For a
/// rate of memory the bytes are several times the device's L2 cache. Fails where there is no room
/// for them.
[[nodiscard]] Result<std::vector<double>> measure_read_rates(int32_t device, int64_t bytes,
                                                             int32_t n_passes);

}  // namespace forge::kernels::cuda
