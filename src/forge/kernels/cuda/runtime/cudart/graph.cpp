#include <memory>

#include "forge/base/check.h"
#include "forge/kernels/cuda/runtime/cudart/device_state.h"
#include "forge/kernels/cuda/runtime/cudart/handles.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {
namespace {

struct DestroyGraph {
  void operator()(cudaGraph_t graph) const { (void)cudaGraphDestroy(graph); }
};
using OwnedGraph = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, DestroyGraph>;

}  // namespace

Result<Graph> Stream::end_recording() {
  const int32_t device = state_->device;
  FORGE_CHECK(state_->is_recording, "the end of no recording");
  state_->is_recording = false;
  FORGE_TRY_STATUS(use(device));
  cudaGraph_t captured = nullptr;
  const cudaError_t error = cudaStreamEndCapture(state_->stream, &captured);
  const OwnedGraph graph(captured);
  FORGE_TRY_STATUS(check(device, error, "recording"));
  Graph result;
  result.state_.reset(new Graph::State{.device = device});
  size_t n_nodes = 0;
  FORGE_TRY_STATUS(
      check(device, cudaGraphGetNodes(graph.get(), nullptr, &n_nodes), "counting a recording"));
  result.state_->n_nodes = static_cast<int64_t>(n_nodes);
  FORGE_TRY_STATUS(check(device, cudaGraphInstantiate(&result.state_->graph, graph.get(), 0),
                         "making a graph of a recording"));
  // Else the first launch would do it, inside somebody's first token.
  FORGE_TRY_STATUS(
      check(device, cudaGraphUpload(result.state_->graph, state_->stream), "uploading a graph"));
  return result;
}

void Graph::Free::operator()(State* state) const {
  if (state->graph != nullptr && use(state->device).ok()) (void)cudaGraphExecDestroy(state->graph);
  delete state;
}

Status Graph::launch(Stream& stream) {
  FORGE_TRY_STATUS(use(state_->device));
  return check(state_->device, cudaGraphLaunch(state_->graph, stream.state()->stream),
               "starting a graph");
}

int64_t Graph::n_nodes() const { return state_->n_nodes; }

}  // namespace forge::kernels::cuda
