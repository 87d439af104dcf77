#include "forge/models/decoder.h"

#include <algorithm>

#include "forge/base/check.h"
#include "forge/models/cpu/cpu_decoder.h"
#include "forge/models/cuda/cuda_decoder.h"
#include "forge/models/decoder_backend.h"
#include "forge/models/pipelined_backend.h"
#include "forge/models/reference_decoder.h"

namespace forge::models {
namespace {

// A batch that does not fit is a bug of the scheduler; each of these would corrupt memory.
void check(const PagedBatch& batch, const DecoderOptions& options, int32_t window) {
  const int64_t n_tokens = batch.n_tokens();
  FORGE_CHECK(n_tokens > 0 && n_tokens <= options.max_batch_tokens, "{} tokens, at most {}",
              n_tokens, options.max_batch_tokens);
  FORGE_CHECK(static_cast<int64_t>(batch.positions.size()) == n_tokens, "{} positions",
              batch.positions.size());
  FORGE_CHECK(static_cast<int64_t>(batch.logit_rows.size()) <= options.max_logit_rows,
              "{} logit rows, at most {}", batch.logit_rows.size(), options.max_logit_rows);
  int32_t next_row = 0;
  for (const SequenceRows& s : batch.sequences) {
    FORGE_CHECK(s.row_begin == next_row && s.row_end > s.row_begin, "rows [{}, {}) after {}",
                s.row_begin, s.row_end, next_row);
    FORGE_CHECK(s.kv_len >= s.row_end - s.row_begin &&
                    s.kv_len <= static_cast<int64_t>(s.block_table.size()) * kBlockLen,
                "kv_len {} blocks {}", s.kv_len, s.block_table.size());
    FORGE_CHECK(options.max_sequence_len == 0 || s.kv_len <= options.max_sequence_len,
                "kv_len {}, at most {}", s.kv_len, options.max_sequence_len);
    const int32_t first_seen = s.kv_len - (s.row_end - s.row_begin) - window + 1;
    const int32_t first_block =
        window == 0 ? 0 : std::max(first_seen, 0) / kSpanLen * kSpanLen / kBlockLen;
    for (int32_t i = first_block; i * kBlockLen < s.kv_len; ++i) {
      const int32_t block = s.block_table[static_cast<size_t>(i)];
      FORGE_CHECK(block >= 0 && block < options.n_cache_blocks, "block {}", block);
    }
    next_row = s.row_end;
  }
  FORGE_CHECK(next_row == n_tokens, "sequences cover {} of {} rows", next_row, n_tokens);
  for (const int32_t row : batch.logit_rows) {
    FORGE_CHECK(row >= 0 && row < n_tokens, "logit row {} of {}", row, n_tokens);
  }
}

}  // namespace

Result<Decoder> Decoder::create(const Model& model, const DecoderOptions& options) {
  const int32_t window = model.spec.longest_window();
  if (options.backend.arithmetic == Arithmetic::kReference) {
    return Decoder(make_reference_decoder(model, options), options, window);
  }
  if (options.backend.cuda_device) {
    FORGE_TRY(auto on_device, cuda::make_cuda_decoder(model, options));
    return Decoder(std::move(on_device), options, window);
  }
  FORGE_TRY(auto backend, cpu::make_cpu_decoder(model, options));
  return Decoder(std::move(backend), options, window);
}

Decoder::Decoder(std::unique_ptr<DecoderBackend> backend, const DecoderOptions& options,
                 int32_t window)
    : backend_(std::move(backend)), options_(options), window_(window) {}
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

Result<ActivationView> Decoder::step(const PagedBatch& batch, const LayerProbe* probe) {
  check(batch, options_, window_);
  return backend_->step(batch, probe);
}

Status Decoder::launch(const PagedBatch& batch, const SampleBatch& samples) {
  check(batch, options_, window_);
  if (PipelinedBackend* backend = backend_->pipelined()) return backend->launch(batch, samples);
  FORGE_CHECK(samples.rows.empty(), "this decoder chooses no tokens");
  FORGE_TRY(logits_, backend_->step(batch, nullptr));
  return {};
}

Result<StepResults> Decoder::collect() {
  if (PipelinedBackend* backend = backend_->pipelined()) return backend->collect();
  return StepResults{.logits = logits_};
}

int32_t Decoder::n_slots() const {
  const PipelinedBackend* backend = backend_->pipelined();
  return backend == nullptr ? 0 : backend->n_slots();
}

int32_t Decoder::max_history() const {
  const PipelinedBackend* backend = backend_->pipelined();
  return backend == nullptr ? 0 : backend->max_history();
}

std::span<const float> Decoder::logit_maxima(int64_t i) const { return backend_->logit_maxima(i); }

void Decoder::final_hidden(int64_t row, std::span<float> out) { backend_->final_hidden(row, out); }

void Decoder::copy_blocks(std::span<const cache::BlockCopy> copies) {
  for (const cache::BlockCopy& copy : copies) {
    FORGE_CHECK(copy.from >= 0 && copy.from < options_.n_cache_blocks && copy.to >= 0 &&
                    copy.to < options_.n_cache_blocks && copy.from != copy.to,
                "block {} to {}", copy.from, copy.to);
  }
  backend_->copy_blocks(copies);
}

void Decoder::for_each(int32_t n, FunctionRef<void(int32_t item, int worker)> body) {
  backend_->for_each(n, body);
}

const StageTimes& Decoder::stage_times() const { return backend_->stage_times(); }

}  // namespace forge::models
