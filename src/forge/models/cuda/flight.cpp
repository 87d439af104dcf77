#include "forge/models/cuda/flight.h"

#include <algorithm>
#include <utility>

namespace forge::models::cuda {
namespace {

using kernels::cuda::Event;
using kernels::cuda::kMaxTopLogprobs;
using kernels::cuda::PinnedMemory;
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
  Flight flight;
  flight.device_ = device;
  flight.shape_ = shape;
  FORGE_TRY(flight.memory_, PinnedMemory::allocate(device, counting.used(), "a step's inputs"));
  DeviceArena arena(flight.memory_.data(), counting.used());
  flight.inputs_ = lay_out_inputs(shape, arena);
  flight.samples_ = lay_out_samples(shape, arena);
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
