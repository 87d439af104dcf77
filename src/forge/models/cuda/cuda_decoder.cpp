#include "forge/models/cuda/cuda_decoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "forge/base/check.h"
#include "forge/kernels/cuda/attention/attention.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/range.h"
#include "forge/models/cuda/flight.h"
#include "forge/models/cuda/forward.h"
#include "forge/models/cuda/stage_clock.h"
#include "forge/models/cuda/step_buckets.h"
#include "forge/models/cuda/step_graphs.h"
#include "forge/models/cuda/step_writer.h"
#include "forge/models/cuda/weight_loader.h"
#include "forge/models/layer_vectors.h"
#include "forge/models/pipelined_backend.h"

namespace forge::models::cuda {
namespace {

using kernels::cuda::DeviceInfo;
using kernels::cuda::DeviceMemory;
using kernels::cuda::SampleRow;
using kernels::cuda::SampleStages;
using kernels::cuda::SampleTask;
using kernels::cuda::Stream;

/// Everything that a step reads and writes on the device, beside weights and cache.
struct WorkMemory {
  StepInputs inputs;
  StepBuffers buffers;
  SampleBuffers samples;
  int32_t* copies = nullptr;  // (n_sequences, 2): blocks to be copied
};

WorkMemory lay_out_work(const ModelSpec& spec, const DecoderShape& shape, DeviceArena& arena) {
  return {lay_out_inputs(shape, arena), lay_out_buffers(spec, shape, arena),
          lay_out_samples(shape, arena), arena.take_array<int32_t>(int64_t{2} * shape.n_sequences)};
}

/// Positions in the table of angles.
int64_t n_positions(const DecoderShape& shape) { return shape.max_kv_len; }

class CudaDecoder final : public PipelinedBackend {
 public:
  /// What make_cuda_decoder() allocates.
  struct Parts {
    DeviceInfo device;
    DecoderShape shape;
    DeviceMemory weight_memory;
    DeviceMemory kv_memory;
    DeviceMemory work_memory;
    DeviceWeights weights;
    Stream stream;
    std::array<Flight, 2> flights;
    kernels::cuda::PinnedMemory copies;
  };

  CudaDecoder(const Model& model, const DecoderOptions& options, Parts parts)
      : spec_(model.spec),
        options_(options),
        parts_(std::move(parts)),
        work_([this] {
          DeviceArena arena(parts_.work_memory.data(), parts_.work_memory.bytes());
          return lay_out_work(spec_, parts_.shape, arena);
        }()),
        forward_(spec_, parts_.shape, parts_.weights, parts_.device, work_.inputs, work_.buffers,
                 parts_.kv_memory.data(), options.backend.cuda_kv_type, work_.samples.chosen),
        output_norm_(to_f32(model.weights.output_norm)),
        clocks_{StageClock(parts_.device.index), StageClock(parts_.device.index)} {}

  PipelinedBackend* pipelined() override { return this; }
  ~CudaDecoder() override { (void)parts_.stream.synchronize(); }  // steps read what goes now
  CudaDecoder(const CudaDecoder&) = delete;
  CudaDecoder& operator=(const CudaDecoder&) = delete;

  [[nodiscard]] int32_t n_slots() const override { return parts_.shape.n_slots; }
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
  void final_hidden(int64_t row, std::span<float> out) override;
  void copy_blocks(std::span<const cache::BlockCopy> copies) override;
  // The host's few threads would only be in each other's way.
  void for_each(int32_t n, FunctionRef<void(int32_t item, int worker)> body) override {
    for (int32_t i = 0; i < n; ++i) body(i, 0);
  }

 private:
  Status launch(const PagedBatch& batch, const SampleBatch& samples, const LayerProbe* probe);
  Status queue(const StepKind& kind, const LayerProbe* probe);
  [[nodiscard]] SampleTask sample_task(const StepKind& kind) const;
  [[nodiscard]] StepBounds bucket_of(const StepBounds& exact) const;
  Status show(const LayerProbe& probe, const std::string& stage, int64_t n_rows);
  Status fetch_hidden(int64_t n_rows);
  void normalise(int64_t row, std::span<float> out) const;

  const ModelSpec& spec_;
  const DecoderOptions options_;
  Parts parts_;
  const WorkMemory work_;
  const Forward forward_;
  const std::vector<float> output_norm_;
  StepGraphs graphs_;
  std::array<StageClock, 2> clocks_;  // of each flight
  StageTimes times_;
  uint64_t n_launched_ = 0;
  uint64_t n_collected_ = 0;
  int32_t n_rows_ = 0;             // of the last step
  std::vector<float> hidden_;      // (rows, hidden_dim padded) of the last step; empty: not fetched
  std::span<const float> maxima_;  // of the last step that was collected
  Status copied_;                  // what became of copy_blocks()
};

Result<ActivationView> CudaDecoder::step(const PagedBatch& batch, const LayerProbe* probe) {
  FORGE_TRY_STATUS(launch(batch, {.wants_logits = true}, probe));
  FORGE_TRY(const StepResults results, collect());
  if (probe != nullptr) FORGE_TRY_STATUS(show(*probe, "final_norm", batch.n_tokens()));
  return results.logits;
}

Status CudaDecoder::launch(const PagedBatch& batch, const SampleBatch& samples,
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
  if (is_recorded) {
    FORGE_TRY_STATUS(graphs_.launch(kind, stream, [&] { return queue(kind, nullptr); }));
  } else {
    FORGE_TRY_STATUS(queue(kind, probe));
  }
  FORGE_TRY_STATUS(flight.download(stream, work_.buffers, work_.samples, n_samples,
                                   samples.wants_logits ? step.bounds.n_logit_rows : 0));
  n_rows_ = step.bounds.n_tokens;
  hidden_.clear();
  ++n_launched_;
  return {};
}

StepBounds CudaDecoder::bucket_of(const StepBounds& exact) const {
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
Status CudaDecoder::queue(const StepKind& kind, const LayerProbe* probe) {
  Stream& stream = parts_.stream;
  StageClock& clock = clocks_[n_launched_ % clocks_.size()];
  const auto before_stage = [&](StageTimes::Stage stage) {
    return options_.measures_stages ? clock.mark(stream, stage) : Status{};
  };
  const auto after_layer = [&](int32_t layer) -> Status {
    if (probe == nullptr) return {};
    return show(*probe, layer < 0 ? "embed" : fmt::format("layer {}", layer), kind.bounds.n_tokens);
  };
  FORGE_TRY_STATUS(forward_.queue(stream, kind.bounds, before_stage, after_layer));
  if (kind.n_samples > 0) {
    FORGE_TRY_STATUS(kernels::cuda::sample(stream, parts_.device, sample_task(kind)));
  }
  return options_.measures_stages ? clock.mark_end(stream) : Status{};
}

SampleTask CudaDecoder::sample_task(const StepKind& kind) const {
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
          .workspace = work_.samples.workspace};
}

Result<StepResults> CudaDecoder::collect() {
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

void CudaDecoder::copy_blocks(std::span<const cache::BlockCopy> copies) {
  auto* list = reinterpret_cast<int32_t*>(parts_.copies.data());
  const auto most = static_cast<size_t>(parts_.shape.n_sequences);
  while (!copies.empty() && copied_.ok()) {
    const auto some = copies.first(std::min(copies.size(), most));
    copies = copies.subspan(some.size());
    // The list is one for all: what was queued before must have read it. Copies are rare.
    copied_ = parts_.stream.synchronize();
    if (!copied_.ok()) return;
    for (size_t i = 0; i < some.size(); ++i) {
      list[2 * i] = some[i].from;
      list[2 * i + 1] = some[i].to;
    }
    copied_ = parts_.stream.copy(work_.copies, list,
                                 static_cast<int64_t>(some.size() * 2 * sizeof(int32_t)));
    if (!copied_.ok()) return;
    copied_ = kernels::cuda::copy_blocks(parts_.stream, parts_.device,
                                         {.pool = parts_.kv_memory.data(),
                                          .n_planes = 2 * spec_.n_layers,
                                          .plane_bytes = parts_.shape.kv_plane_bytes,
                                          .block_bytes = parts_.shape.kv_block_bytes,
                                          .copies = work_.copies,
                                          .n_copies = static_cast<int32_t>(some.size())});
  }
}

// The residual stream of the last step, for the host.
Status CudaDecoder::fetch_hidden(int64_t n_rows) {
  hidden_.resize(static_cast<size_t>(n_rows * parts_.shape.hidden));
  FORGE_TRY_STATUS(parts_.stream.copy(hidden_.data(), work_.buffers.hidden,
                                      static_cast<int64_t>(hidden_.size() * sizeof(float))));
  return parts_.stream.synchronize();
}

Status CudaDecoder::show(const LayerProbe& probe, const std::string& stage, int64_t n_rows) {
  FORGE_TRY_STATUS(fetch_hidden(n_rows));
  if (stage == "final_norm") {
    for (int64_t row = 0; row < n_rows; ++row) {
      float* const values = hidden_.data() + row * parts_.shape.hidden;
      normalise(row, {values, static_cast<size_t>(spec_.hidden_dim)});
    }
  }
  probe(stage, {hidden_.data(), n_rows, spec_.hidden_dim, parts_.shape.hidden});
  hidden_.clear();
  return {};
}

void CudaDecoder::normalise(int64_t row, std::span<float> out) const {
  const float* const values = hidden_.data() + row * parts_.shape.hidden;
  double squares = 0.0;
  for (size_t i = 0; i < out.size(); ++i) {
    squares += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(out.size()) +
                                                        static_cast<double>(spec_.norm_eps)));
  for (size_t i = 0; i < out.size(); ++i) out[i] = values[i] * scale * output_norm_[i];
}

void CudaDecoder::final_hidden(int64_t row, std::span<float> out) {
  if (hidden_.empty()) {
    if (const Status status = fetch_hidden(n_rows_); !status.ok()) {
      // The device is lost; the next step says so.
      hidden_.clear();
      std::ranges::fill(out, 0.0f);
      return;
    }
  }
  normalise(row, out);
}

Status check_options(const ModelSpec& spec, const DecoderOptions& options,
                     const DeviceInfo& device) {
  if (kernels::cuda::padded_head_dim(spec.head_dim) == 0 || spec.head_dim % 4 != 0) {
    return make_error(
        "heads of {} dimensions: on NVIDIA devices they have a multiple of 4, at "
        "most {}; use --device cpu",
        spec.head_dim, kernels::cuda::kMaxHeadDim);
  }
  if (spec.hidden_dim % kernels::cuda::kRowTile != 0) {
    return make_error(
        "a hidden size of {}: on NVIDIA devices it is a multiple of {}; use --device "
        "cpu",
        spec.hidden_dim, kernels::cuda::kRowTile);
  }
  if (spec.vocab_size > kernels::cuda::kMaxSampledVocab) {
    return make_error("a vocabulary of {}: on NVIDIA devices it has at most {} tokens",
                      spec.vocab_size, kernels::cuda::kMaxSampledVocab);
  }
  if (options.backend.cuda_dtype != DType::kBF16) {
    return make_error("products in {} are not implemented on NVIDIA devices: use --dtype bf16",
                      info(options.backend.cuda_dtype).name);
  }
  const bool is_fp8 = options.backend.cuda_kv_type == kernels::cuda::KvType::kFp8;
  if (is_fp8 && device.compute_capability < 89) {
    return make_error(
        "cuda:{} ({}) has no fp8 numbers (compute capability {}.{}, 8.9 has): use "
        "--kv-dtype int8",
        device.index, device.name, device.compute_capability / 10, device.compute_capability % 10);
  }
  return {};
}

int64_t work_bytes(const ModelSpec& spec, const DecoderShape& shape) {
  DeviceArena counting;
  (void)lay_out_work(spec, shape, counting);
  return counting.used();
}

}  // namespace

int64_t cuda_weight_bytes(const Model& model, const DecoderOptions& options) {
  DeviceArena counting;
  const DecoderShape shape(model.spec, options);
  (void)lay_out_weights(model, options.backend.quantize, n_positions(shape), counting);
  return counting.used();
}

int64_t cuda_workspace_bytes(const Model& model, const DecoderOptions& options) {
  return work_bytes(model.spec, DecoderShape(model.spec, options));
}

int64_t cuda_kv_bytes_per_token(const ModelSpec& spec, const DecoderOptions& options) {
  return 2 * spec.n_layers * DecoderShape(spec, options).kv_block_bytes / kBlockLen;
}

Result<std::unique_ptr<DecoderBackend>> make_cuda_decoder(const Model& model,
                                                          const DecoderOptions& options) {
  const int32_t index = options.backend.cuda_device.value_or(0);
  CudaDecoder::Parts parts;
  FORGE_TRY(parts.device, kernels::cuda::open_device(index));
  FORGE_TRY_STATUS(check_options(model.spec, options, parts.device));
  parts.shape = DecoderShape(model.spec, options);
  const DecoderShape& shape = parts.shape;
  FORGE_TRY(parts.weight_memory,
            DeviceMemory::allocate(index, cuda_weight_bytes(model, options), "weights"));
  FORGE_TRY(parts.kv_memory,
            DeviceMemory::allocate(index, shape.kv_bytes(model.spec.n_layers), "the KV cache"));
  FORGE_TRY(parts.work_memory,
            DeviceMemory::allocate(index, work_bytes(model.spec, shape), "activations"));
  FORGE_TRY(parts.stream, Stream::create(index, Stream::Priority::kHigh));
  for (Flight& flight : parts.flights) {
    FORGE_TRY(flight, Flight::create(index, shape));
  }
  FORGE_TRY(parts.copies, kernels::cuda::PinnedMemory::allocate(
                              index, int64_t{shape.n_sequences} * 2 * sizeof(int32_t), "a list"));

  // Zeros: padding must read as zeros, and what a cache block held before must be numbers.
  for (const DeviceMemory* memory : {&parts.kv_memory, &parts.work_memory}) {
    FORGE_TRY_STATUS(parts.stream.fill(memory->data(), 0, memory->bytes()));
  }
  DeviceArena arena(parts.weight_memory.data(), parts.weight_memory.bytes());
  WeightPlan plan = lay_out_weights(model, options.backend.quantize, n_positions(shape), arena);
  for (const std::string& note : plan.notes) {
    if (options.backend.on_note) options.backend.on_note(note);
  }
  FORGE_TRY_STATUS(load_weights(model, plan, index, n_positions(shape), options.n_threads));
  DeviceArena work(parts.work_memory.data(), parts.work_memory.bytes());
  FORGE_TRY_STATUS(kernels::cuda::clear_sample_workspace(
      parts.stream, lay_out_work(model.spec, shape, work).samples.workspace, shape.n_samples));
  FORGE_TRY_STATUS(parts.stream.synchronize());
  parts.weights = std::move(plan.weights);
  return std::unique_ptr<DecoderBackend>(
      std::make_unique<CudaDecoder>(model, options, std::move(parts)));
}

}  // namespace forge::models::cuda
