// Forge as a library: load a model once, submit requests from any thread, read their streams.
//
//   FORGE_TRY(const forge::Model model, forge::Model::load({.path = "bundled"}));
//   FORGE_TRY(const auto engine, forge::Engine::create(model, {}));
//   forge::Request request;
//   request.prompt = model.tokenize("Once upon a time");
//   FORGE_TRY(forge::Stream stream, engine->submit(std::move(request)));
//   while (!stream.is_done()) {
//     for (const forge::StreamEvent& event : stream.wait()) std::cout << event.text;
//   }
//
// examples/ has whole programs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forge/model.h"
#include "forge/request.h"
#include "forge/result.h"

namespace forge {

/// How a model is run and what it may take. Zeros and empty texts choose for the machine.
struct EngineOptions {
  std::string device = "auto";  // "auto", "cpu", "cuda" or "cuda:N" ("gpu": "cuda")
  int32_t n_threads = 0;
  /// "bf16" (the default), "f16", "f32", "int8"; on an NVIDIA device that type in which products
  /// are computed (the default), "fp8", "int8".
  std::string kv_dtype = {};
  /// Of products on an NVIDIA device: "bf16" or "f16"; "": f16 where all layers' weights are F16,
  /// else bf16. The CPU goes by the weights. Or "tf32" or "f32", which fail on the CPU.
  std::string dtype = {};
  /// On an NVIDIA device long prompts may be computed by cuBLASLt, where that is quicker: the bits
  /// of an answer then depend on how its prompt was cut into steps, and on what was measured at the
  /// start. Fails where the library cannot be had, with products not in bf16, and with device
  /// "cpu".
  bool fast_nondeterministic = false;
  double gpu_memory_fraction = 0.9;  // most of a device's memory, what others take included
  std::string quantize = {};         // block format for F32, F16 and BF16 weights; "": as they are
  std::string packed_cache = {};     // a folder that keeps packed weights for the next start
  bool reference = false;            // the CPU's slow arithmetic that everything is tested against

  int32_t context_len = 0;      // most tokens of prompt and text together
  int64_t kv_cache_tokens = 0;  // shared by all sequences; rounded up to whole blocks
  int32_t max_sequences = 0;    // that run at once
  int32_t max_step_tokens = 0;  // rows of the largest step
  int32_t max_queue = 1024;     // requests that wait; more are refused (kBusy)
  /// Largest part of a step's time that prompts may take while texts are being generated: with 0.5
  /// a long prompt at most doubles the time between two tokens of the others. (0, 1]
  double prompt_share = 0.5;
  bool prefix_cache = true;

  /// Told in one line what a person should know about the start, and later, from the engine's
  /// thread, about a library that fails; may be empty.
  std::function<void(std::string_view)> on_note = {};
};

/// What an engine chose and has.
struct EngineInfo {
  /// Names everything that the bits of an answer depend on beside the request: "fp_" and 16
  /// hexadecimal digits of a hash over version, checkpoint (its name; each tensor's name, type,
  /// shape and first KiB), arithmetic and types.
  std::string fingerprint;
  std::string device = {};       // "cpu", "cuda:0"
  std::string device_text = {};  // for people: "cuda:0 (NVIDIA H200)"; "auto" with its reason
  std::string arithmetic = {};   // the kernels' instruction set, or "reference"
  std::string kv_dtype = {};     // "bf16"
  int32_t n_threads = 0;
  int32_t context_len = 0;
  int32_t kv_cache_tokens = 0;
  int32_t max_sequences = 0;
  int32_t max_step_tokens = 0;
  int32_t max_queue = 0;  // requests that wait, beside those that could start at once
};

/// Counters since the start and gauges of this moment; each is exact, all together are of nearly
/// the same moment.
struct EngineStats {
  int64_t steps = 0;
  int64_t prompt_tokens = 0;  // computed, those of preempted sequences again
  int64_t generated_tokens = 0;
  int64_t cached_tokens = 0;  // prompt tokens taken from the prefix cache
  int64_t preemptions = 0;
  int64_t requests_finished = 0;
  int64_t requests_cancelled = 0;
  int64_t requests_timed_out = 0;  // in the queue or later
  int64_t requests_failed = 0;
  int32_t running = 0;  // sequences
  int32_t waiting = 0;  // requests
  int32_t kv_blocks = 0;
  int32_t kv_blocks_used = 0;    // by live sequences
  int32_t kv_blocks_cached = 0;  // kept for their prefix, free when needed
  double last_step_seconds = 0.0;
};

namespace engine {
class EngineLoop;
class StreamReader;
}  // namespace engine

/// The news of one request. Movable; one thread at a time. Detokenises and looks for stop strings
/// in the thread that reads. Destroying it cancels the request.
class Stream {
 public:
  explicit Stream(std::unique_ptr<engine::StreamReader> reader);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  /// What has come since the last call, in order; empty where nothing has. Never blocks.
  [[nodiscard]] std::vector<StreamEvent> poll();
  /// Blocks until there is news, or the request is done.
  [[nodiscard]] std::vector<StreamEvent> wait();
  /// The same, but not for longer than this; empty then.
  [[nodiscard]] std::vector<StreamEvent> wait_for(std::chrono::milliseconds timeout);
  /// Every choice has had its last event.
  [[nodiscard]] bool is_done() const;
  /// Ends all choices at the next step (kCancelled). Any thread.
  void cancel();

  [[nodiscard]] Usage usage() const;
  [[nodiscard]] RequestTimes times() const;

 private:
  std::unique_ptr<engine::StreamReader> reader_;
};

/// A model's KV cache and the thread that steps it. Every method may be called from any thread.
/// Destroying it ends all requests (kCancelled).
class Engine {
 public:
  /// Packs the weights and starts. Fails on settings out of range and where there is not enough
  /// memory, with the numbers and what would fit.
  [[nodiscard]] static Result<std::unique_ptr<Engine>> create(const Model& model,
                                                              const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Queues a request. on_news is called from the engine's thread whenever poll() has become worth
  /// a call, at most once until the next poll(); it must only pass the word on. Fails at once on
  /// settings out of range (kInvalid), a prompt that does not fit (kTooLong), a full queue (kBusy)
  /// and after shut_down() (kUnavailable).
  [[nodiscard]] Result<Stream> submit(Request request, std::function<void()> on_news = {});

  [[nodiscard]] const Model& model() const;
  [[nodiscard]] const EngineInfo& info() const;
  [[nodiscard]] EngineStats stats() const;
  /// Whether the engine's thread is idle or has finished a step within this time. Never again once
  /// its device is lost: then requests end with the reason, and new ones are refused with it.
  [[nodiscard]] bool is_responsive(std::chrono::milliseconds bound) const;

  /// Refuses new requests from now on. The ones that are in go on.
  void shut_down();

 private:
  explicit Engine(std::unique_ptr<engine::EngineLoop> loop);
  std::unique_ptr<engine::EngineLoop> loop_;
};

}  // namespace forge
