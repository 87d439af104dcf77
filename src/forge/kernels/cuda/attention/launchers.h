// The kernels of attention, from the host: attention() chooses.
#pragma once

#include "forge/base/result.h"
#include "forge/kernels/cuda/attention/task.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

[[nodiscard]] Status launch_attention_few(Stream& stream, const DeviceInfo& device,
                                          const AttentionTask& task);
[[nodiscard]] AttentionWorkspace attention_few_workspace(const AttentionTask& bounds);

/// Needs turned queries, and no workspace.
[[nodiscard]] Status launch_attention_many(Stream& stream, const AttentionTask& task);

}  // namespace forge::kernels::cuda
