#include "forge/models/cpu/cpu_decoder.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "forge/base/check.h"
#include "forge/base/huge_buffer.h"
#include "forge/base/thread_team.h"
#include "forge/base/work_ranges.h"
#include "forge/kernels/cpu/levels.h"
#include "forge/models/cpu/load_weights.h"
#include "forge/models/cpu/step.h"
#include "forge/models/decoder_memory.h"

namespace forge::models::cpu {
namespace {

using Clock = std::chrono::steady_clock;

class CpuDecoder final : public DecoderBackend {
 public:
  CpuDecoder(const Model& model, const DecoderOptions& options, DecoderShape shape,
             std::unique_ptr<ThreadTeam> team, PackedWeights weights, HugeBuffer workspace,
             HugeBuffer kv)
      : spec_(model.spec),
        options_(options),
        shape_(std::move(shape)),
        team_(std::move(team)),
        ranges_(team_->n_threads()),
        weights_(std::move(weights)),
        workspace_(std::move(workspace)),
        kv_(std::move(kv)),
        step_(model, options, shape_, weights_, kernels::cpu::kernels_of(options.backend.isa),
              kv_.data()) {
    Arena arena(workspace_.data(), static_cast<int64_t>(workspace_.bytes()));
    step_.use(lay_out(spec_, shape_, team_->n_threads(), arena));
    program_.reserve(static_cast<size_t>(max_stages(spec_.n_layers)));
    team_->time_waiting(options_.measures_stages);
  }

  Result<ActivationView> step(const PagedBatch& batch, const LayerProbe* probe) override {
    StepShape shape = step_.begin(batch);
    shape.has_probes = probe != nullptr;
    build_program(shape, program_);
    ranges_.clear();
    const auto waited = team_->waited(0);
    team_->run(static_cast<int>(program_.size()),
               [&](int stage, int worker) { work(stage, worker, probe); });
    if (options_.measures_stages)
      times_.seconds[StageTimes::kWait] += seconds(team_->waited(0) - waited);
    ++times_.steps;
    logits_ = step_.logits();
    return logits_;
  }

  [[nodiscard]] std::span<const float> logit_maxima(int64_t i) const override {
    return step_.logit_maxima(i);
  }
  [[nodiscard]] const StageTimes& stage_times() const override { return times_; }

  void final_hidden(int64_t row, std::span<float> out) override { step_.final_hidden(row, out); }

  void copy_blocks(std::span<const cache::BlockCopy> copies) override {
    const size_t block_bytes = block_bytes_of(spec_, options_);
    const size_t layer_bytes = block_bytes * static_cast<size_t>(options_.n_cache_blocks);
    for (const cache::BlockCopy& copy : copies) {
      for (int32_t layer = 0; layer < spec_.n_layers; ++layer) {
        std::byte* blocks = kv_.data() + static_cast<size_t>(layer) * layer_bytes;
        std::memcpy(blocks + static_cast<size_t>(copy.to) * block_bytes,
                    blocks + static_cast<size_t>(copy.from) * block_bytes, block_bytes);
      }
    }
  }

  void for_each(int32_t n, FunctionRef<void(int32_t item, int worker)> body) override {
    if (n == 1) return body(0, 0);  // not worth waking anybody
    ranges_.clear();
    team_->run(1, [&](int, int worker) {
      while (const auto item = ranges_.next(0, worker, n)) body(*item, worker);
    });
  }

 private:
  void work(int number, int worker, const LayerProbe* probe) {
    const Stage& stage = program_[static_cast<size_t>(number)];
    const bool is_timed = options_.measures_stages && worker == 0;
    const auto begin = is_timed ? Clock::now() : Clock::time_point();
    step_.enter(stage, worker);
    while (const auto chunk = ranges_.next(number, worker, stage.n_chunks)) {
      if (stage.op == Op::kProbe) {
        step_.probe(stage, *probe);
      } else {
        step_.run(stage, *chunk, worker);
      }
    }
    if (is_timed) times_.seconds[counted_as(stage.op)] += seconds(Clock::now() - begin);
  }

  /// One layer's part of a block.
  static size_t block_bytes_of(const ModelSpec& spec, const DecoderOptions& options) {
    return static_cast<size_t>(spec.n_kv_heads * kernels::cpu::kv_head_block_bytes(
                                                     options.backend.kv_type, spec.head_dim));
  }

  static double seconds(std::chrono::nanoseconds d) {
    return std::chrono::duration<double>(d).count();
  }

  const ModelSpec& spec_;
  const DecoderOptions options_;
  const DecoderShape shape_;
  std::unique_ptr<ThreadTeam> team_;
  WorkRanges ranges_;
  PackedWeights weights_;
  HugeBuffer workspace_;
  HugeBuffer kv_;
  Step step_;
  std::vector<Stage> program_;
  ActivationView logits_;
  StageTimes times_;
};

}  // namespace

int64_t cpu_packed_bytes(const Model& model, const DecoderOptions& options) {
  return lay_out_weights(model.weights, options.backend.quantize, nullptr).bytes;
}

int64_t cpu_workspace_bytes(const Model& model, const DecoderOptions& options) {
  Arena counting;
  const DecoderShape shape(model, options);
  (void)lay_out(model.spec, shape, options.n_threads, counting);
  return counting.used();
}

Result<std::unique_ptr<DecoderBackend>> make_cpu_decoder(const Model& model,
                                                         const DecoderOptions& options) {
  auto team = std::make_unique<ThreadTeam>(options.n_threads);
  FORGE_TRY(auto workspace,
            HugeBuffer::allocate(static_cast<size_t>(cpu_workspace_bytes(model, options))));
  FORGE_TRY(auto kv,
            HugeBuffer::allocate(static_cast<size_t>(kv_cache_bytes(model.spec, options))));
  FORGE_TRY(auto weights, load_weights(model, options.backend, *team));
  std::unique_ptr<DecoderBackend> decoder =
      std::make_unique<CpuDecoder>(model, options, DecoderShape(model, options), std::move(team),
                                   std::move(weights), std::move(workspace), std::move(kv));
  if (model.is_mapped) release_sources(model.weights);
  return decoder;
}

}  // namespace forge::models::cpu
