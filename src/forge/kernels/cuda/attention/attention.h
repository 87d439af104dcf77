// Attention on a device: what comes between the QKV product and the output product.
#pragma once

#include "forge/base/result.h"
#include "forge/kernels/cuda/attention/task.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

/// Queues norms and turns of the heads of q and k, keys and values into the cache. Products are
/// computed in kv.product_type. Rows may stand in any order; those with a negative position
/// are left out. Fails where a size is one that no kernel is built for.
[[nodiscard]] Status rope_append(Stream& stream, const DeviceInfo& device,
                                 const RopeAppendTask& task);

/// Queues out = softmax(q K^T scale) V for any mix of sequences. A row has the same bits whatever
/// else is in the batch, however the prompt was cut into steps, whether it was turned by
/// rope_append() or here, and whatever the bounds of the task are.
///
/// Above 64 rows and heads of a group in an entry (max_rows * n_heads / n_kv_heads; one row is
/// never too many), and where the workspace is smaller than attention_workspace(), a kernel is
/// taken that does not split long sequences and that wants turned queries. So a step of decodes and
/// prompts calls it once for each kind.
[[nodiscard]] Status attention(Stream& stream, const DeviceInfo& device, const AttentionTask& task);

/// What AttentionTask::workspace should have for a task with these bounds (heads, n_sequences,
/// max_rows, max_kv_len, window); pointers are null. Prompts need none, so ask for each kind of
/// step and take the most.
[[nodiscard]] AttentionWorkspace attention_workspace(const AttentionTask& bounds);

/// Queues copies of cache blocks.
[[nodiscard]] Status copy_blocks(Stream& stream, const DeviceInfo& device,
                                 const CopyBlocksTask& task);

}  // namespace forge::kernels::cuda
