// Which kernel a task takes.
#include "forge/kernels/cuda/attention/attention.h"

#include "forge/kernels/cuda/attention/dispatch.h"
#include "forge/kernels/cuda/attention/launchers.h"

namespace forge::kernels::cuda {

AttentionWorkspace attention_workspace(const AttentionTask& bounds) {
  return attention_few_workspace(bounds);
}

Status attention(Stream& stream, const DeviceInfo& device, const AttentionTask& task) {
  FORGE_TRY_STATUS(check_heads(task.heads));
  const AttentionWorkspace wanted = attention_workspace(task);
  if (task.workspace.n_partials < wanted.n_partials ||
      task.workspace.n_counters < wanted.n_counters) {
    return Error{"attention: a workspace of " + std::to_string(task.workspace.n_partials) +
                 " floats, expected " + std::to_string(wanted.n_partials)};
  }
  if (task.n_sequences == 0 || task.max_rows == 0) return {};
  return launch_attention_few(stream, device, task);
}

}  // namespace forge::kernels::cuda
