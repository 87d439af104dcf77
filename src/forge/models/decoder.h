// The decoder every ModelSpec runs on, written once on the ops of kernels/.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "forge/base/function_ref.h"
#include "forge/base/result.h"
#include "forge/cache/block_copy.h"
#include "forge/kernels/cpu/isa.h"
#include "forge/kernels/cpu/kv_layout.h"
#include "forge/kernels/cuda/attention/kv_cache.h"
#include "forge/models/model.h"
#include "forge/models/stage_times.h"
#include "forge/tensor/paged_batch.h"
#include "forge/tensor/view.h"

namespace forge::models {

class DecoderBackend;
struct SampleBatch;
struct StepResults;

/// kFast: packed weights and the kernels of an ISA level; activations as int8 against quantised
/// weights, bf16 against BF16, f32 against F16 and F32. kReference: everything in f32 with sums in
/// double, ten to twenty times slower; what the fast one is tested against.
enum class Arithmetic { kFast, kReference };

/// How a decoder computes, which may change the bits of its results, and how it gets its weights.
struct BackendOptions {
  Arithmetic arithmetic = Arithmetic::kFast;
  kernels::cpu::IsaLevel isa = kernels::cpu::best_level();  // for kFast; supported by this machine
  kernels::cpu::KvType kv_type = kernels::cpu::KvType::kBf16;  // for kFast; kReference has f32
  /// For kFast: F32, F16 and BF16 matrices are converted to this type as they are packed
  /// (cpu/weight_type.h says what happens where it does not fit a matrix).
  std::optional<DType> quantize = std::nullopt;
  /// For kFast: a folder that keeps packed weights in files, so that the next decoder of the same
  /// checkpoint maps them instead of packing (cpu/packed_file.h). Empty: none is read or written.
  std::string packed_cache = {};
  /// The NVIDIA device that runs the model, as cuda:N; none: the CPU. For kFast.
  std::optional<int32_t> cuda_device = std::nullopt;
  kernels::cuda::KvType cuda_kv_type = kernels::cuda::KvType::kPlain;  // of its cache
  /// That products are computed in there; none: the checkpoint decides (device_product_type.h).
  std::optional<kernels::cuda::ProductType> cuda_product_type = std::nullopt;
  /// Prompts may be computed by cuBLASLt there: bits then depend on how they are cut into steps.
  bool fast_nondeterministic = false;
  /// The part of that device's memory that may be taken, what others have included. (0, 1)
  double gpu_memory_fraction = 0.9;
  /// Told in one line what a person should know about making the decoder, and about a library that
  /// fails later (in the thread that steps); may be empty.
  std::function<void(std::string_view)> on_note = {};
};

struct DecoderOptions {
  int32_t n_threads = 1;
  int32_t n_cache_blocks = 0;      // KV cache: this many blocks of kBlockLen tokens, per layer
  int32_t max_sequence_len = 0;    // tokens of the longest sequence; 0: what the cache holds
  int32_t max_batch_tokens = 512;  // rows of the largest step
  int32_t max_logit_rows = 512;    // rows of a step whose logits may be wanted
  int32_t max_sequences = 0;       // of a step; 0: as many as rows
  BackendOptions backend;
  bool measures_stages = false;  // fills stage_times(); costs two clock readings per stage
};

/// Receives the hidden state (n_tokens, hidden_dim) after the embedding ("embed"), after each layer
/// ("layer 0", ...) and after the final norm ("final_norm"); for tests and for finding the first
/// layer that differs from a reference.
using LayerProbe = std::function<void(std::string_view stage, const ActivationView& hidden)>;

/// Owns the packed weights, the KV cache and the workspace of one model on the CPU. A step
/// allocates nothing. Not thread-safe: one thread steps. A row's result has the same bits whatever
/// else is in the batch, however its prompt was cut into steps, and for any number of threads
/// (within one ISA level and KV type).
class Decoder {
 public:
  /// The model must outlive the decoder. Fails where there is no memory for it.
  [[nodiscard]] static Result<Decoder> create(const Model& model, const DecoderOptions& options);
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  ~Decoder();

  /// Runs one step; returns the logits of batch.logit_rows, (logit_rows.size(), vocab_size), valid
  /// until the next step. The caller has checked that everything fits (sizes are FORGE_CHECKed).
  /// Fails where the device is lost; every later step fails too. The CPU does not fail.
  [[nodiscard]] Result<ActivationView> step(const PagedBatch& batch,
                                            const LayerProbe* probe = nullptr);

  /// A step in two halves, launch() and collect(), of which two may be open where the decoder
  /// chooses tokens (n_slots() > 0), else one. The former works between them; for the latter
  /// launch() does everything, and samples must be empty. See pipelined_backend.h.
  [[nodiscard]] Status launch(const PagedBatch& batch, const SampleBatch& samples);
  [[nodiscard]] Result<StepResults> collect();
  [[nodiscard]] int32_t n_slots() const;
  [[nodiscard]] int32_t max_history() const;

  /// The largest logit of every 16 of row i of the last step's logits, which spares a sampler the
  /// vocabulary; empty for kReference.
  [[nodiscard]] std::span<const float> logit_maxima(int64_t i) const;
  /// Hidden state (hidden_dim) of a row of the last step, after the final norm.
  void final_hidden(int64_t row, std::span<float> out);
  /// Copies whole blocks of the KV cache, one after another. Between steps.
  void copy_blocks(std::span<const cache::BlockCopy> copies);
  /// Calls body(item, worker) for items 0 .. n - 1 on the threads that run steps, each item once,
  /// items at the same time; worker < n_threads. Between steps. Allocates nothing.
  void for_each(int32_t n, FunctionRef<void(int32_t item, int worker)> body);
  [[nodiscard]] const StageTimes& stage_times() const;

 private:
  Decoder(std::unique_ptr<DecoderBackend> backend, const DecoderOptions& options, int32_t window);

  std::unique_ptr<DecoderBackend> backend_;
  DecoderOptions options_;
  ActivationView logits_;  // of a launched step of a backend that is not pipelined
  int32_t window_;         // ModelSpec::longest_window
};

}  // namespace forge::models
