// From logits to tokens, on a device, for all rows of a step.
//
// The stages and their order are those of docs/sampling.md: logit bias -> penalties -> [greedy:
// argmax] -> temperature -> top-k -> top-p -> min-p -> draw. What a device does not do (typical-p),
// can_sample() says, and the engine samples such a request on the host.
//
// How it is used:
//
//   at start      DeviceMemory of sample_workspace_bytes(max_rows), clear_sample_workspace() once;
//                 arrays of SampleRow, SampleResult, next_token, SlotHistory, HistoryEntry, ...
//   a request     gets a slot. Where it has penalties: its entries and SlotHistory{n, -1} are
//   copied
//                 to the slot's part of the arrays, with what it has said already.
//   recording     a SampleTask per bucket of rows, sample(stream, device, task) while the stream
//                 records. With SampleStages{} (greedy, temperature, min-p) it is one kernel;
//                 record a second graph with all stages for steps in which stages_of() of a row
//                 says so.
//   a step        copies n_rows SampleRow (flag kActive off in those beyond the real batch), or
//   none
//                 where all have kAdvances and nothing else changes; launches the graph; later
//                 reads the results. The next step's embedding reads next_token[slot] on the
//                 device.
//
// A token depends on its row's settings, seed, position and logits, not on the batch, the grid or
// the device. For the same seed it is not the CPU sampler's token: the draw is another function of
// the random bits, with the same distribution.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

inline constexpr int kLogitPanel = 16;      // logits under one maximum: a row tile of the LM head
inline constexpr int kMaxTopLogprobs = 20;  // of a row
/// Sums of probabilities are whole numbers of 64 bits, 2^44 for the most probable token.
inline constexpr int32_t kMaxSampledVocab = 1 << 20;

/// What a row asks for, or-ed together.
enum SampleFlag : uint32_t {
  kActive = 1,    // there is such a row; nothing else is looked at where it is off
  kGreedy = 2,    // the largest logit, the lowest id among equals
  kHistory = 4,   // has penalties: its slot's history is applied and kept
  kAdvances = 8,  // position grows by one with each token
};

/// One row of a step, in device memory. settings_of() fills in what comes from a request.
struct SampleRow {
  uint32_t flags = 0;
  int32_t logits_row = 0;  // rows that change logits (bias, penalties, excluded) share it with none
  int32_t slot = 0;        // of the sequence: its place in next_token and histories
  int32_t n_logprobs = -1;  // 0 .. kMaxTopLogprobs: the token's and so many others'; -1: none
  uint64_t seed = 0;
  int64_t position = 0;  // of the token that is chosen: tokens of the sequence so far
  double top_p = 1.0;
  int32_t top_k = 0;
  float per_logit = 0.0f;   // log2(e) / temperature
  float min_weight = 0.0f;  // min_p, rounded up: the most probable token weighs 1
  float repetition = 1.0f;  // the penalty, and its inverse
  float inverse_repetition = 1.0f;
  float frequency = 0.0f;
  float presence = 0.0f;
  int32_t bias_begin = 0;  // in SampleTask::biases; ranges of rows do not overlap
  int32_t bias_end = 0;
  int32_t excluded_begin = 0;  // in SampleTask::excluded
  int32_t excluded_end = 0;

  [[nodiscard]] constexpr bool has(SampleFlag flag) const { return (flags & flag) != 0; }
  [[nodiscard]] constexpr bool changes_logits() const {
    return has(kHistory) || bias_end > bias_begin || excluded_end > excluded_begin;
  }
  [[nodiscard]] constexpr bool cuts_to_k(int32_t vocab_size) const {
    return top_k > 0 && top_k < vocab_size;
  }
  [[nodiscard]] constexpr bool truncates(int32_t vocab_size) const {
    return !has(kGreedy) && (cuts_to_k(vocab_size) || top_p < 1.0);
  }
};

/// Added to a token's logit. An id at most once in a row, 0 <= id < vocab_size.
struct BiasEntry {
  int32_t id = 0;
  float bias = 0.0f;
  float raw = 0.0f;  // the kernels': the logit before
};

/// A token that a sequence holds: each at most once.
struct HistoryEntry {
  int32_t id = 0;
  int32_t n_generated = 0;  // 0: in the prompt only
  float raw = 0.0f;         // the kernels': the logit before
};
struct SlotHistory {
  int32_t n_entries = 0;
  int32_t pending = -1;  // chosen last, not among the entries yet: the kernels'. -1: none
};

enum class SampleStatus : int32_t {
  kToken,
  kBadLogit,     // the model's logit of `id` is not a number or +infinity; the first such id
  kInfinite,     // the penalties made the logit of `id` infinite
  kNothingLeft,  // every logit is -infinity
  kNotRecorded,  // the row asks for a stage that the task does not have
};

/// 16 bytes, written at once.
struct alignas(16) SampleResult {
  SampleStatus status = SampleStatus::kToken;
  int32_t id = 0;        // the token, or what status says
  float logprob = 0.0f;  // where n_logprobs >= 0: of the logits as the model gave them, T = 1
  int32_t reserved = 0;
};
struct TopLogprob {
  int32_t id = 0;
  float logprob = 0.0f;
};

/// Which kernels a task is recorded with, besides the draw.
struct SampleStages {
  bool logprobs = false;
  bool changes = false;     // bias, penalties, excluded tokens
  bool truncation = false;  // top-k and top-p
};

struct SampleTask {
  float* logits = nullptr;    // (rows, logits_stride), 16-byte aligned; bias and so on change them
  int64_t logits_stride = 0;  // a multiple of 4, at least vocab_size
  /// (rows, maxima_stride): of ids 16p .. 16p + 15, +infinity or not a number where one of them is
  /// not a number.
  float* maxima = nullptr;
  int64_t maxima_stride = 0;
  int32_t vocab_size = 0;  // at most kMaxSampledVocab
  int32_t n_rows = 0;      // of the bucket
  SampleStages stages;

  SampleRow* rows = nullptr;        // (n_rows)
  SampleResult* results = nullptr;  // (n_rows); may be pinned memory of the host
  TopLogprob* top =
      nullptr;  // (n_rows, kMaxTopLogprobs): the best first; or none: no row asks for any
  int32_t* next_token = nullptr;  // (n_slots); 0 after an error

  BiasEntry* biases = nullptr;        // stages.changes
  const int32_t* excluded = nullptr;  // likewise: ids that are not chosen, 0 <= id < vocab_size
  HistoryEntry* history = nullptr;    // likewise: (n_slots, history_stride)
  int64_t history_stride =
      0;  // at least min(vocab_size, longest sequence), so that it never runs over
  SlotHistory* slots = nullptr;  // likewise: (n_slots)

  std::byte* workspace = nullptr;  // sample_workspace_bytes(n_rows), 16-byte aligned
};

/// Of the workspace. Tasks that run one after another may share one.
[[nodiscard]] int64_t sample_workspace_bytes(int32_t n_rows);
/// Queues what a new workspace needs. The kernels leave it as they find it.
[[nodiscard]] Status clear_sample_workspace(Stream& stream, std::byte* workspace, int32_t n_rows);

/// Queues the choice of a token for every active row: 1 kernel, and 1 more for each stage.
[[nodiscard]] Status sample(Stream& stream, const DeviceInfo& device, const SampleTask& task);

/// Whether a device does all that a request (forge::SamplingParams) asks for.
template <typename Params>
[[nodiscard]] bool can_sample(const Params& params, int32_t n_logprobs, int32_t vocab_size) {
  return (params.is_greedy() || params.typical_p >= 1.0) && n_logprobs <= kMaxTopLogprobs &&
         vocab_size <= kMaxSampledVocab;
}

/// A row with a request's settings (forge::SamplingParams, validated): all but logits_row, slot,
/// position, n_logprobs and the ranges.
template <typename Params>
[[nodiscard]] SampleRow settings_of(const Params& params) {
  using Limits = std::numeric_limits<float>;
  // Within what keeps 0 and -infinity what they are.
  const auto factor = [](double value) {
    return static_cast<float>(std::clamp(value, double{Limits::min()}, double{Limits::max()}));
  };
  SampleRow row;
  row.flags =
      kActive | (params.is_greedy() ? kGreedy : 0u) | (params.uses_penalties() ? kHistory : 0u);
  row.seed = params.seed;
  row.top_k = params.top_k;
  row.top_p = params.top_p;
  row.per_logit = params.is_greedy()
                      ? 0.0f
                      : static_cast<float>(std::min(1.4426950408889634 / params.temperature,
                                                    double{Limits::max()}));
  row.min_weight = static_cast<float>(params.min_p);
  if (double{row.min_weight} < params.min_p) {
    row.min_weight = std::nextafter(row.min_weight, Limits::infinity());
  }
  row.repetition = factor(params.repetition_penalty);
  row.inverse_repetition = factor(1.0 / params.repetition_penalty);
  row.frequency = static_cast<float>(params.frequency_penalty);
  row.presence = static_cast<float>(params.presence_penalty);
  return row;
}

/// What a row needs its task to be recorded with.
[[nodiscard]] constexpr SampleStages stages_of(const SampleRow& row, int32_t vocab_size) {
  if (!row.has(kActive)) return {};
  return {row.n_logprobs >= 0, row.changes_logits(), row.truncates(vocab_size)};
}

}  // namespace forge::kernels::cuda
