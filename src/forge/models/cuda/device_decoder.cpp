#include "forge/models/cuda/device_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "forge/base/check.h"
#include "forge/kernels/cuda/runtime/range.h"
#include "forge/models/cuda/step_buckets.h"
#include "forge/models/cuda/step_writer.h"
#include "forge/models/layer_vectors.h"

namespace forge::models::cuda {

using kernels::cuda::SampleRow;
using kernels::cuda::SampleStages;
using kernels::cuda::SampleTask;
using kernels::cuda::Stream;

DeviceDecoder::DeviceDecoder(const Model& model, const DecoderOptions& options, DecoderParts parts)
    : spec_(model.spec),
      options_(options),
      parts_(std::move(parts)),
      work_([this] {
        DeviceArena arena(parts_.work_memory.data(), parts_.work_memory.bytes());
        return lay_out_work(spec_, parts_.shape, arena);
      }()),
      forward_(spec_, parts_.shape, parts_.weights, parts_.device, work_.inputs, work_.buffers,
               parts_.kv_memory.data(), options.backend.cuda_kv_type, work_.samples.chosen,
               parts_.library.get()),
      hidden_(to_f32(model.weights.output_norm), spec_.norm_eps, work_.buffers.hidden,
              parts_.shape.hidden),
      clocks_{StageClock(parts_.device.index), StageClock(parts_.device.index)} {}

Result<ActivationView> DeviceDecoder::step(const PagedBatch& batch, const LayerProbe* probe) {
  FORGE_TRY_STATUS(launch(batch, {.wants_logits = true}, probe));
  FORGE_TRY(const StepResults results, collect());
  if (probe != nullptr) {
    FORGE_TRY_STATUS(hidden_.show(parts_.stream, *probe, "final_norm", batch.n_tokens()));
  }
  return results.logits;
}

Status DeviceDecoder::launch(const PagedBatch& batch, const SampleBatch& samples,
                             const LayerProbe* probe) {
  FORGE_CHECK(n_launched_ - n_collected_ < parts_.flights.size(), "{} steps under way",
              n_launched_ - n_collected_);
  FORGE_TRY_STATUS(std::exchange(copied_, {}));
  const kernels::cuda::Range range("launch a step");
  Flight& flight = parts_.flights[n_launched_ % parts_.flights.size()];
  const WrittenStep step = write_step(batch, flight.inputs());
  const auto n_samples = static_cast<int32_t>(samples.rows.size());
  const bool is_recorded =
      step.bounds.n_prompts == 0 && probe == nullptr && !options_.measures_stages;
  StepKind kind{.bounds = is_recorded ? bucket_of(step.bounds) : step.bounds,
                .n_samples = is_recorded && n_samples > 0
                                 ? token_bucket(n_samples, parts_.shape.n_samples)
                                 : n_samples};
  pad_step(step.bounds, kind.bounds, flight.inputs());
  std::ranges::copy(samples.rows, flight.inputs().samples);
  std::fill(flight.inputs().samples + n_samples, flight.inputs().samples + kind.n_samples,
            SampleRow{});
  for (const SampleRow& row : samples.rows) {
    const SampleStages stages = kernels::cuda::stages_of(row, spec_.vocab_size);
    kind.has_logprobs |= stages.logprobs;
    kind.has_changes |= stages.changes;
    kind.has_truncation |= stages.truncation;
  }

  Stream& stream = parts_.stream;
  FORGE_TRY_STATUS(flight.upload(stream, work_.inputs, step.table_entries));
  FORGE_TRY_STATUS(flight.upload(stream, samples, work_.samples));
  FORGE_TRY_STATUS(flight.upload(stream, samples, work_.histories));
  if (is_recorded) {
    FORGE_TRY_STATUS(graphs_.launch(kind, stream, [&] { return queue(kind, nullptr); }));
  } else {
    FORGE_TRY_STATUS(queue(kind, probe));
  }
  FORGE_TRY_STATUS(flight.download(stream, work_.buffers, work_.samples, n_samples,
                                   samples.wants_logits ? step.bounds.n_logit_rows : 0));
  hidden_.forget(step.bounds.n_tokens);
  ++n_launched_;
  return {};
}

StepBounds DeviceDecoder::bucket_of(const StepBounds& exact) const {
  const DecoderShape& shape = parts_.shape;
  StepBounds bucket = exact;
  bucket.n_tokens = token_bucket(exact.n_tokens, shape.n_sequences);
  bucket.n_decodes = bucket.n_tokens;
  bucket.max_kv_len = length_bucket(exact.max_kv_len, shape.max_kv_len);
  // Rows beyond the batch give logits that nobody reads.
  if (exact.has_all_logits && bucket.n_tokens <= shape.n_logit_rows) {
    bucket.n_logit_rows = bucket.n_tokens;
  }
  return bucket;
}

// The kernels of a step, its sampling included.
Status DeviceDecoder::queue(const StepKind& kind, const LayerProbe* probe) {
  Stream& stream = parts_.stream;
  StageClock& clock = clocks_[n_launched_ % clocks_.size()];
  const auto before_stage = [&](StageTimes::Stage stage) {
    return options_.measures_stages ? clock.mark(stream, stage) : Status{};
  };
  const auto after_layer = [&](int32_t layer) -> Status {
    if (probe == nullptr) return {};
    return hidden_.show(stream, *probe, layer < 0 ? "embed" : fmt::format("layer {}", layer),
                        kind.bounds.n_tokens);
  };
  FORGE_TRY_STATUS(forward_.queue(stream, kind.bounds, before_stage, after_layer));
  if (kind.n_samples > 0) {
    FORGE_TRY_STATUS(kernels::cuda::sample(stream, parts_.device, sample_task(kind)));
  }
  return options_.measures_stages ? clock.mark_end(stream) : Status{};
}

SampleTask DeviceDecoder::sample_task(const StepKind& kind) const {
  const DecoderShape& shape = parts_.shape;
  return {.logits = work_.buffers.logits,
          .logits_stride = shape.logits,
          .maxima = work_.buffers.maxima,
          .maxima_stride = shape.logit_tiles,
          .vocab_size = spec_.vocab_size,
          .n_rows = kind.n_samples,
          .stages = {kind.has_logprobs, kind.has_changes, kind.has_truncation},
          .rows = work_.inputs.samples,
          .results = work_.samples.results,
          .top = work_.samples.top,
          .next_token = work_.samples.chosen,
          .biases = work_.samples.biases,
          .excluded = work_.samples.excluded,
          .history = work_.histories.entries,
          .history_stride = shape.history,
          .slots = work_.histories.slots,
          .workspace = work_.samples.workspace};
}

Result<StepResults> DeviceDecoder::collect() {
  FORGE_CHECK(n_collected_ < n_launched_, "no step is under way");
  const kernels::cuda::Range range("wait for a step");
  Flight& flight = parts_.flights[n_collected_ % parts_.flights.size()];
  FORGE_TRY_STATUS(flight.wait());
  StageClock& clock = clocks_[n_collected_ % clocks_.size()];
  ++n_collected_;
  ++times_.steps;
  if (options_.measures_stages) FORGE_TRY_STATUS(clock.add_to(times_));
  const StepResults results = flight.results();
  maxima_ = results.maxima;
  return results;
}

void DeviceDecoder::copy_blocks(std::span<const cache::BlockCopy> copies) {
  if (!copied_.ok()) return;
  copied_ = parts_.block_copier.queue(parts_.stream, parts_.device, copies, parts_.kv_memory.data(),
                                      spec_.n_layers, work_.copies);
}

}  // namespace forge::models::cuda
