#include "forge/models/cuda/step_graphs.h"

#include <utility>

namespace forge::models::cuda {

Status StepGraphs::launch(const StepKind& kind, kernels::cuda::Stream& stream,
                          FunctionRef<Status()> queue) {
  const auto known = graphs_.find(kind);
  if (known != graphs_.end()) return known->second.launch(stream);
  FORGE_TRY_STATUS(stream.begin_recording());
  const Status queued = queue();
  // Ends the recording where queueing failed, too.
  Result<kernels::cuda::Graph> graph = stream.end_recording();
  FORGE_TRY_STATUS(queued);
  if (!graph.ok()) return graph.error();
  if (graphs_.size() >= kMost) {
    // Those that are under way must not go.
    FORGE_TRY_STATUS(stream.synchronize());
    graphs_.clear();
  }
  return graphs_.emplace(kind, std::move(graph).value()).first->second.launch(stream);
}

}  // namespace forge::models::cuda
