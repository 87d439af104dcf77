// Which kernels choose a step's tokens, and their grids.
#include "forge/kernels/cuda/sampling/sampling.h"

#include "forge/kernels/cuda/runtime/launch.h"
#include "forge/kernels/cuda/sampling/change_logits.h"
#include "forge/kernels/cuda/sampling/draw.h"
#include "forge/kernels/cuda/sampling/logprobs.h"
#include "forge/kernels/cuda/sampling/truncate.h"

namespace forge::kernels::cuda {
namespace {

/// Parts that a row is cut into. Each looks at all maxima, a sixteenth of the logits, so that more
/// parts than 32 gain little; and a part has at least 32 panels. Reasoned, not yet measured.
int32_t n_parts(const DeviceInfo& device, const SampleTask& task) {
  constexpr int32_t kMost = 32;
  constexpr int32_t kLeastPanels = 32;
  const int32_t n_panels = (task.vocab_size + kLogitPanel - 1) / kLogitPanel;
  const int32_t wanted = 2 * device.n_processors / task.n_rows;
  return std::clamp(std::min(wanted, n_panels / kLeastPanels), 1, kMost);
}

/// A thread for every 4 logits, as long as there are that many.
int32_t n_threads_for(const SampleTask& task) {
  const int32_t wanted = (task.vocab_size / 4 + kWarpLanes) / kWarpLanes * kWarpLanes;
  return std::min(wanted, kSampleThreads);
}

}  // namespace

int64_t sample_workspace_bytes(int32_t n_rows) { return n_rows * int64_t{sizeof(RowState)}; }

Status clear_sample_workspace(Stream& stream, std::byte* workspace, int32_t n_rows) {
  return stream.fill(workspace, 0, sample_workspace_bytes(n_rows));
}

Status sample(Stream& stream, const DeviceInfo& device, const SampleTask& task) {
  const int32_t n_threads = n_threads_for(task);
  const Grid parts{n_parts(device, task), task.n_rows};
  if (task.stages.logprobs) {
    FORGE_TRY_STATUS(launch(stream,
                            {.name = "measure_logprobs",
                             .grid = parts,
                             .n_threads = n_threads,
                             .shared_bytes = sizeof(SelectShared)},
                            measure_logprobs, task));
  }
  if (task.stages.changes) {
    FORGE_TRY_STATUS(launch(stream,
                            {.name = "change_logits",
                             .grid = {task.n_rows},
                             .n_threads = n_threads,
                             .shared_bytes = sizeof(ChangeShared)},
                            change_logits, task));
  }
  if (task.stages.truncation) {
    FORGE_TRY_STATUS(launch(stream,
                            {.name = "truncate_rows",
                             .grid = parts,
                             .n_threads = n_threads,
                             .shared_bytes = sizeof(SelectShared)},
                            truncate_rows, task));
  }
  return launch(stream,
                {.name = "draw_tokens",
                 .grid = parts,
                 .n_threads = n_threads,
                 .shared_bytes = sizeof(DrawShared)},
                draw_tokens, task);
}

}  // namespace forge::kernels::cuda
