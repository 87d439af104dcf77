// A decoder's steps on an NVIDIA device, once everything is there.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/memory.h"
#include "forge/models/cuda/block_copier.h"
#include "forge/models/cuda/device_weights.h"
#include "forge/models/cuda/flight.h"
#include "forge/models/cuda/forward.h"
#include "forge/models/cuda/hidden_rows.h"
#include "forge/models/cuda/library/library_products.h"
#include "forge/models/cuda/stage_clock.h"
#include "forge/models/cuda/step_graphs.h"
#include "forge/models/cuda/work_memory.h"
#include "forge/models/pipelined_backend.h"

namespace forge::models::cuda {

/// What make_cuda_decoder() allocates and loads.
struct DecoderParts {
  kernels::cuda::DeviceInfo device;
  DecoderShape shape;
  kernels::cuda::DeviceMemory weight_memory;
  kernels::cuda::DeviceMemory kv_memory;
  kernels::cuda::DeviceMemory work_memory;
  kernels::cuda::DeviceMemory library_memory;  // none without --fast-nondeterministic
  DeviceWeights weights;
  kernels::cuda::Stream stream;
  std::array<Flight, 2> flights;
  BlockCopier block_copier;
  std::unique_ptr<LibraryProducts> library;  // likewise
};

/// One thread. A step is one copy of inputs, one graph (prompts are queued kernel by kernel) and
/// one copy of results.
class DeviceDecoder final : public PipelinedBackend {
 public:
  /// The model must outlive it.
  DeviceDecoder(const Model& model, const DecoderOptions& options, DecoderParts parts);
  ~DeviceDecoder() override { (void)parts_.stream.synchronize(); }  // steps read what goes now
  DeviceDecoder(const DeviceDecoder&) = delete;
  DeviceDecoder& operator=(const DeviceDecoder&) = delete;

  PipelinedBackend* pipelined() override { return this; }
  [[nodiscard]] int32_t n_slots() const override { return parts_.shape.n_slots; }
  [[nodiscard]] int32_t max_history() const override { return parts_.shape.history; }
  [[nodiscard]] const StageTimes& stage_times() const override { return times_; }

  Result<ActivationView> step(const PagedBatch& batch, const LayerProbe* probe) override;
  Status launch(const PagedBatch& batch, const SampleBatch& samples) override {
    return launch(batch, samples, nullptr);
  }
  Result<StepResults> collect() override;

  [[nodiscard]] std::span<const float> logit_maxima(int64_t i) const override {
    const auto n = static_cast<size_t>(parts_.shape.logit_tiles);
    return maxima_.subspan(static_cast<size_t>(i) * n, n);
  }
  void final_hidden(int64_t row, std::span<float> out) override {
    hidden_.final_hidden(parts_.stream, row, out);
  }
  void copy_blocks(std::span<const cache::BlockCopy> copies) override;
  // The host's few threads would only be in each other's way.
  void for_each(int32_t n, FunctionRef<void(int32_t item, int worker)> body) override {
    for (int32_t i = 0; i < n; ++i) body(i, 0);
  }

 private:
  Status launch(const PagedBatch& batch, const SampleBatch& samples, const LayerProbe* probe);
  Status queue(const StepKind& kind, const LayerProbe* probe);
  [[nodiscard]] kernels::cuda::SampleTask sample_task(const StepKind& kind) const;
  [[nodiscard]] StepBounds bucket_of(const StepBounds& exact) const;

  const ModelSpec& spec_;
  const DecoderOptions options_;
  DecoderParts parts_;
  const WorkMemory work_;
  const Forward forward_;
  HiddenRows hidden_;
  StepGraphs graphs_;
  std::array<StageClock, 2> clocks_;  // of each flight
  StageTimes times_;
  uint64_t n_launched_ = 0;
  uint64_t n_collected_ = 0;
  std::span<const float> maxima_;  // of the last step that was collected
  Status copied_;                  // what became of copy_blocks()
};

}  // namespace forge::models::cuda
