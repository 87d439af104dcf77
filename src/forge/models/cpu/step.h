// What each stage of a step computes, chunk by chunk.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "forge/models/cpu/attention_stage.h"
#include "forge/models/cpu/decoder_layout.h"
#include "forge/models/cpu/packed_weights.h"
#include "forge/models/cpu/step_program.h"
#include "forge/models/layer_vectors.h"

namespace forge::models::cpu {

/// The buffers and weights of a decoder, and the batch of the step under way. begin() is called
/// before a step's workers start; enter() and run() by any worker, chunks of one stage at the same
/// time, stages one after another. Which worker runs a chunk never changes a result.
class Step {
 public:
  /// All references outlive the step. kv: the cache of all layers.
  Step(const Model& model, const DecoderOptions& options, const DecoderShape& shape,
       const PackedWeights& weights, const kernels::cpu::KernelTable& table, std::byte* kv);

  void use(DecoderBuffers buffers) { b_ = std::move(buffers); }

  /// Takes a batch; it must stay alive during the step. Says how many chunks each stage has.
  [[nodiscard]] StepShape begin(const PagedBatch& batch);
  /// What a worker does for itself before it takes chunks of a stage.
  void enter(const Stage& stage, int worker);
  void run(const Stage& stage, int32_t chunk, int worker);

  /// Results of the last step.
  [[nodiscard]] ActivationView logits() const;
  [[nodiscard]] std::span<const float> logit_maxima(int64_t i) const;

  /// Hidden state of a row of the last step, after the final norm.
  void final_hidden(int64_t row, std::span<float> out) const;

  /// A stage of kProbe: shows the hidden state.
  void probe(const Stage& stage, const LayerProbe& probe) const;

 private:
  void embed(int32_t row);
  void norm(const std::vector<float>& weight, KindSet kinds, const float* hidden,
            const ActivationRows& out, int64_t row, int worker);
  void norm_own_rows(const std::vector<float>& weight, KindSet kinds, int worker);
  void multiply(const PackedMatrix& matrix, int32_t begin, int32_t end, const ActivationRows& x,
                int64_t n_rows, float* y, int64_t y_stride, int worker) const;
  void qkv(int32_t layer, const PanelChunk& chunk, int worker);
  void finish_query(int32_t layer, const PanelChunk& chunk, float* y, int64_t stride);
  void finish_key_value(int32_t layer, const PanelChunk& chunk, float* k, float* v, int64_t stride);
  void turn(float* head, int64_t row) const;
  void project(const PackedMatrix& matrix, const std::vector<float>& bias, const PanelChunk& chunk,
               const ActivationRows& x, int worker);
  void gate_up(int32_t layer, const PanelChunk& chunk, int worker);
  void head(const PanelChunk& chunk, int worker);

  [[nodiscard]] bool is_few() const { return n_tokens_ <= kFewTokens; }
  [[nodiscard]] bool norms_own() const { return n_tokens_ <= kOwnNormRows; }
  [[nodiscard]] const LayerPlan& plan() const { return is_few() ? shape_.few : shape_.many; }
  [[nodiscard]] const StagePlan& head_plan() const {
    return n_logits_ <= kFewTokens ? shape_.head_few : shape_.head_many;
  }
  [[nodiscard]] float* hidden(int64_t row) const { return b_.hidden + row * shape_.hidden_stride; }
  [[nodiscard]] const float* logit_hidden(int64_t i) const {
    return hidden(batch_->logit_rows[static_cast<size_t>(i)]);
  }

  const Model& model_;
  const ModelSpec& spec_;
  const DecoderShape& shape_;
  const PackedWeights& weights_;
  const kernels::cpu::KernelTable& table_;
  DecoderBuffers b_;
  std::vector<LayerVectors> vectors_;
  std::vector<float> output_norm_;
  AttentionStage attention_;
  const PagedBatch* batch_ = nullptr;
  std::vector<int32_t> sequence_of_row_;
  int64_t n_tokens_ = 0;
  int64_t n_logits_ = 0;
};

}  // namespace forge::models::cpu
