// Which kernel a task takes.
#include "forge/kernels/cuda/attention/attention.h"

#include "forge/kernels/cuda/attention/dispatch.h"
#include "forge/kernels/cuda/attention/launchers.h"

namespace forge::kernels::cuda {
namespace {

/// Up to so many packed rows of an entry, keys and values are read again for each 16 of them, but a
/// sequence is shared by many blocks.
constexpr int32_t kFewRows = 64;

bool wants_few(const AttentionTask& task) {
  const int32_t group = task.heads.n_heads / task.heads.n_kv_heads;
  return task.max_rows == 1 || task.max_rows * group <= kFewRows;
}

bool has_room(const AttentionTask& task) {
  const AttentionWorkspace wanted = attention_few_workspace(task);
  return task.workspace.n_partials >= wanted.n_partials &&
         task.workspace.n_counters >= wanted.n_counters;
}

}  // namespace

AttentionWorkspace attention_workspace(const AttentionTask& bounds) {
  if (!wants_few(bounds)) return {};
  return attention_few_workspace(bounds);
}

Status attention(Stream& stream, const DeviceInfo& device, const AttentionTask& task) {
  FORGE_TRY_STATUS(check_heads(task.heads));
  if (task.n_sequences == 0 || task.max_rows == 0) return {};
  if (wants_few(task) && has_room(task)) return launch_attention_few(stream, device, task);
  if (task.q == nullptr) {
    return Error{"attention: " + std::to_string(task.max_rows) +
                 " rows that are not turned yet, and a workspace of " +
                 std::to_string(task.workspace.n_partials) + " floats"};
  }
  return launch_attention_many(stream, task);
}

}  // namespace forge::kernels::cuda
