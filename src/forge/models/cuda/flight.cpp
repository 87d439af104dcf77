#include "forge/models/cuda/flight.h"

#include <algorithm>
#include <utility>

#include "forge/base/check.h"

namespace forge::models::cuda {
namespace {

using kernels::cuda::Event;
using kernels::cuda::HistoryEntry;
using kernels::cuda::kMaxTopLogprobs;
using kernels::cuda::PinnedMemory;
using kernels::cuda::SlotHistory;
using kernels::cuda::Stream;

template <typename T>
int64_t bytes_of(int64_t n) {
  return n * static_cast<int64_t>(sizeof(T));
}

int64_t logit_floats(const DecoderShape& shape) { return shape.n_logit_rows * shape.logits; }

}  // namespace

Result<Flight> Flight::create(int32_t device, const DecoderShape& shape) {
  DeviceArena counting;
  (void)lay_out_inputs(shape, counting);
  (void)lay_out_samples(shape, counting);
  (void)counting.take_array<HistoryEntry>(shape.history);
  (void)counting.take_array<SlotHistory>(shape.n_slots);
  Flight flight;
  flight.device_ = device;
  flight.shape_ = shape;
  FORGE_TRY(flight.memory_, PinnedMemory::allocate(device, counting.used(), "a step's inputs"));
  DeviceArena arena(flight.memory_.data(), counting.used());
  flight.inputs_ = lay_out_inputs(shape, arena);
  flight.samples_ = lay_out_samples(shape, arena);
  flight.history_ = arena.take_array<HistoryEntry>(shape.history);
  flight.slots_ = arena.take_array<SlotHistory>(shape.n_slots);
  FORGE_TRY(flight.done_, Event::create(device));
  return flight;
}

Status Flight::upload(Stream& stream, const StepInputs& to, int64_t table_entries) const {
  const auto* from = reinterpret_cast<const std::byte*>(inputs_.token_ids);
  const auto* end = reinterpret_cast<const std::byte*>(inputs_.block_tables + table_entries);
  return stream.copy(to.token_ids, from, end - from);
}

Status Flight::upload(Stream& stream, const SampleBatch& samples, const SampleBuffers& to) const {
  std::ranges::copy(samples.biases, samples_.biases);
  std::ranges::copy(samples.excluded, samples_.excluded);
  const auto n_biases = static_cast<int64_t>(samples.biases.size());
  const auto n_excluded = static_cast<int64_t>(samples.excluded.size());
  if (n_biases > 0) {
    FORGE_TRY_STATUS(
        stream.copy(to.biases, samples_.biases, bytes_of<kernels::cuda::BiasEntry>(n_biases)));
  }
  if (n_excluded > 0) {
    FORGE_TRY_STATUS(stream.copy(to.excluded, samples_.excluded, bytes_of<int32_t>(n_excluded)));
  }
  return {};
}

Status Flight::upload(Stream& stream, const SampleBatch& samples, const SampleHistories& to) const {
  int64_t n_staged = 0;
  for (const HistoryUpdate& update : samples.histories) {
    const int64_t n = update.end - update.begin;
    FORGE_CHECK(n <= shape_.history, "a history of {} tokens, at most {}", n, shape_.history);
    if (n_staged + n > shape_.history) {
      FORGE_TRY_STATUS(stream.synchronize());
      n_staged = 0;
    }
    HistoryEntry* const staged = history_ + n_staged;
    n_staged += n;
    std::ranges::copy(
        samples.history.subspan(static_cast<size_t>(update.begin), static_cast<size_t>(n)), staged);
    slots_[update.slot] = {static_cast<int32_t>(n), -1};
    FORGE_TRY_STATUS(stream.copy(to.entries + int64_t{update.slot} * shape_.history, staged,
                                 bytes_of<HistoryEntry>(n)));
    FORGE_TRY_STATUS(
        stream.copy(to.slots + update.slot, slots_ + update.slot, bytes_of<SlotHistory>(1)));
  }
  return {};
}

Status Flight::download(Stream& stream, const StepBuffers& buffers, const SampleBuffers& samples,
                        int32_t n_samples, int32_t n_logit_rows) {
  n_samples_ = n_samples;
  n_logit_rows_ = n_logit_rows;
  if (n_samples > 0) {
    FORGE_TRY_STATUS(stream.copy(samples_.results, samples.results,
                                 bytes_of<kernels::cuda::SampleResult>(n_samples)));
    FORGE_TRY_STATUS(stream.copy(samples_.top, samples.top,
                                 bytes_of<kernels::cuda::TopLogprob>(n_samples * kMaxTopLogprobs)));
  }
  if (n_logit_rows > 0) {
    if (logit_memory_.data() == nullptr) {
      const int64_t floats = logit_floats(shape_) + shape_.n_logit_rows * shape_.logit_tiles;
      FORGE_TRY(logit_memory_,
                PinnedMemory::allocate(device_, bytes_of<float>(floats), "logits for the host"));
    }
    auto* logits = reinterpret_cast<float*>(logit_memory_.data());
    FORGE_TRY_STATUS(
        stream.copy(logits, buffers.logits, bytes_of<float>(n_logit_rows * shape_.logits)));
    FORGE_TRY_STATUS(stream.copy(logits + logit_floats(shape_), buffers.maxima,
                                 bytes_of<float>(n_logit_rows * shape_.logit_tiles)));
  }
  return done_.record(stream);
}

StepResults Flight::results() const {
  StepResults results;
  const auto n = static_cast<size_t>(n_samples_);
  results.sampled = {samples_.results, n};
  results.top = {samples_.top, n * kMaxTopLogprobs};
  if (n_logit_rows_ > 0) {
    auto* logits = reinterpret_cast<float*>(logit_memory_.data());
    results.logits = {logits, n_logit_rows_, shape_.vocab_size, shape_.logits};
    results.maxima = {logits + logit_floats(shape_),
                      static_cast<size_t>(n_logit_rows_ * shape_.logit_tiles)};
  }
  return results;
}

}  // namespace forge::models::cuda
