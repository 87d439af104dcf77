// Products with packed weights on a device.
#pragma once

#include "forge/base/result.h"
#include "forge/kernels/cuda/matmul/task.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

/// Queues y = finish(W x) in the type of the weights (PackedMatrix::product_type). A token's result
/// has the same bits whatever n_tokens is, whichever device it is of one compute capability.
[[nodiscard]] Status matmul(Stream& stream, const DeviceInfo& device, const MatmulTask& task);

}  // namespace forge::kernels::cuda
