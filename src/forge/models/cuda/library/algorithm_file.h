// Measured products in a file, so that a device is measured once.
//
//   $XDG_CACHE_HOME/forge/cublaslt/NVIDIA_H200.json, or ~/.cache/forge/...
//
// One for each name of a device. An algorithm means something to one version of the library only,
// and times to one driver: a file of another is not used, and is replaced.
#pragma once

#include <cstdint>
#include <string>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/models/cuda/library/product_table.h"

namespace forge::models::cuda {

/// What a file's content depends on.
struct AlgorithmFileKey {
  kernels::cuda::DeviceInfo device;
  int64_t library_version = 0;
};

/// Empty where neither XDG_CACHE_HOME nor HOME is an absolute path.
[[nodiscard]] std::string algorithm_file_path(const AlgorithmFileKey& key);

/// An empty table where there is no file. Fails, naming the path, where it is not as Forge writes
/// it, is damaged, or is of another key.
[[nodiscard]] Result<ProductTable> read_algorithm_file(const std::string& path,
                                                       const AlgorithmFileKey& key);

/// Makes the folders, and replaces the file at once.
[[nodiscard]] Status write_algorithm_file(const std::string& path, const AlgorithmFileKey& key,
                                          const ProductTable& table);

}  // namespace forge::models::cuda
