// The decoder every ModelSpec runs on, written once on the ops of kernels/.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "forge/base/thread_pool.h"
#include "forge/models/model.h"
#include "forge/tensor/paged_batch.h"
#include "forge/tensor/view.h"

namespace forge::models {

struct DecoderOptions {
  int32_t n_threads = 1;
  int32_t n_cache_blocks = 0;      // KV cache: this many blocks of kBlockLen tokens, per layer
  int32_t max_batch_tokens = 512;  // rows of the largest step
  int32_t max_logit_rows = 512;    // rows of a step whose logits may be wanted
};

/// Receives the hidden state (n_tokens, hidden_dim) after the embedding ("embed"), after each layer
/// ("layer 0", ...) and after the final norm ("final_norm"); for tests and for finding the first
/// layer that differs from a reference.
using LayerProbe = std::function<void(std::string_view stage, const ActivationView& hidden)>;

/// Owns the KV cache and the workspace of one model on the CPU. A step allocates nothing. Not
/// thread-safe: one thread steps. A row's result has the same bits whatever else is in the batch,
/// however its prompt was cut into steps, and for any number of threads.
class Decoder {
 public:
  /// The model must outlive the decoder.
  Decoder(const Model& model, const DecoderOptions& options);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Runs one step; returns the logits of batch.logit_rows, (logit_rows.size(), vocab_size), valid
  /// until the next step. The caller has checked that everything fits (sizes are FORGE_CHECKed).
  const ActivationView& step(const PagedBatch& batch, const LayerProbe* probe = nullptr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace forge::models
