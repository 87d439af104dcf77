// Trusts: the rules in include/forge/request.h and engine.h, each by an example; for vectors, the
// hidden states that the decoder shows.
#include "forge/engine.h"

#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "forge/bundled/bundled_model.h"
#include "forge/engine/loop/live_request.h"
#include "forge/generate.h"
#include "tests/allocation_meter.h"
#include "tests/engine/bundled.h"

namespace forge::engine {
namespace {

using std::chrono::milliseconds;

std::vector<int32_t> prompt_ids() {
  return bundled_model().tokenize("Once upon a time there was a little dog. He liked to run.");
}

Request endless() {
  Request request;
  request.prompt = prompt_ids();
  request.sampling.temperature = 0.0;
  request.ignore_eos = true;
  return request;
}

/// The last event of a stream of one choice.
StreamEvent last_event(Stream& stream) {
  StreamEvent last;
  while (!stream.is_done()) {
    for (StreamEvent& event : stream.wait()) last = std::move(event);
  }
  return last;
}

EngineOptions small() {
  EngineOptions options;
  options.n_threads = 1;
  options.max_sequences = 2;
  return options;
}

TEST(Engine, AKnownPrefixIsNotComputedAgain) {
  const auto engine = make_engine(bundled_model(), small());
  const auto cached_with_salt = [&](const std::string& salt) {
    Request request = endless();
    request.max_tokens = 20;
    request.cache_salt = salt;
    Result<Stream> stream = engine->submit(std::move(request));
    (void)last_event(*stream);
    return stream->usage().cached_tokens;
  };
  const auto n = static_cast<int32_t>(prompt_ids().size());
  EXPECT_EQ(cached_with_salt(""), 0);
  EXPECT_EQ(cached_with_salt(""), n % 16 == 0 ? n - 1 : n / 16 * 16);
  EXPECT_EQ(cached_with_salt("another client"), 0);
  EXPECT_GT(cached_with_salt("another client"), 0);
  EXPECT_GT(engine->stats().kv_blocks_cached, 0);
}

/// Holds the engine's thread in the middle of its first step.
class HeldEngine {
 public:
  explicit HeldEngine(Engine& engine) {
    Result<Stream> stream = engine.submit(endless(), [gate = gate_] {
      gate->is_held.count_down();
      gate->may_go.wait();
    });
    EXPECT_TRUE(stream.ok()) << stream.error().message;
    stream_.emplace(std::move(*stream));
    gate_->is_held.wait();
  }
  ~HeldEngine() { release(); }
  void release() {
    if (!std::exchange(is_released_, true)) gate_->may_go.count_down();
  }

 private:
  struct Gate {
    std::latch is_held{1};
    std::latch may_go{1};
  };
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  bool is_released_ = false;
  std::optional<Stream> stream_;  // never polled, so there is news once
};

TEST(Engine, AFullQueueRefusesAndAFreePlaceTakesAgain) {
  EngineOptions options = small();
  options.max_queue = 2;
  const auto engine = make_engine(bundled_model(), options);
  HeldEngine held(*engine);
  std::vector<Stream> streams;
  // Two would run, the held one among them, and two wait.
  for (int i = 0; i < 3; ++i) {
    Result<Stream> stream = engine->submit(endless());
    ASSERT_TRUE(stream.ok()) << stream.error().message;
    streams.push_back(std::move(*stream));
  }
  const Result<Stream> refused = engine->submit(endless());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kBusy);
  held.release();
  streams.clear();
  while (!engine->submit(endless()).ok()) std::this_thread::sleep_for(milliseconds(1));
}

// A refusal copied the prompt for every choice before it asked whether there was room.
TEST(Engine, AFullQueueRefusesBeforeAnyWorkOnTheRequest) {
  if (!AllocationMeter::kCounts) GTEST_SKIP() << "ThreadSanitizer has an operator new of its own";
  EngineOptions options = small();
  options.max_queue = 0;
  const auto engine = make_engine(bundled_model(), options);
  const HeldEngine held(*engine);
  const Result<Stream> taken = engine->submit(endless());
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  Request request = endless();
  request.n = 2;
  request.prompt.resize(400, 7);
  const AllocationMeter meter;
  const Result<Stream> refused = engine->submit(std::move(request));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kBusy);
  EXPECT_LT(meter.largest(), sizeof(LiveRequest)) << "a message at most";
}

TEST(Engine, ARequestEndsAtItsDeadline) {
  const auto engine = make_engine(bundled_model(), small());
  Request request = endless();
  request.timeout = milliseconds(2);
  Result<Stream> stream = engine->submit(std::move(request));
  EXPECT_EQ(last_event(*stream).finish_reason, FinishReason::kTimeout);
  // The numbers follow the news by a moment.
  for (int i = 0; i < 1000 && engine->stats().requests_timed_out == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(engine->stats().requests_timed_out, 1);
}

TEST(Engine, AfterShuttingDownOnlyNewRequestsAreRefused) {
  const auto engine = make_engine(bundled_model(), small());
  Request request = endless();
  request.max_tokens = 30;
  Result<Stream> stream = engine->submit(std::move(request));
  engine->shut_down();
  const Result<Stream> refused = engine->submit(endless());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(last_event(*stream).finish_reason, FinishReason::kMaxTokens);
}

TEST(Engine, AStreamOutlivesItsEngine) {
  auto engine = make_engine(bundled_model(), small());
  Result<Stream> stream = engine->submit(endless());
  engine.reset();
  EXPECT_EQ(last_event(*stream).finish_reason, FinishReason::kCancelled);
}

TEST(Engine, NothingEndsATextBeforeMinTokens) {
  const auto engine = make_engine(bundled_model(), small());
  Request request = endless();
  request.max_tokens = 60;
  const Result<Generation> free = generate(*engine, request);
  ASSERT_TRUE(free.ok());
  // Without the limit the third token would end the text.
  request.stop_ids = {free->ids[2]};
  EXPECT_EQ(generate(*engine, request)->ids.size(), 3u);
  request.min_tokens = 10;
  const Result<Generation> forced = generate(*engine, request);
  EXPECT_GE(forced->ids.size(), 10u);
  for (size_t i = 0; i < 10; ++i) EXPECT_NE(forced->ids[i], free->ids[2]) << i;
  // A stop string too counts only from there on.
  request.stop_ids.clear();
  request.stop_strings = {bundled_model().detokenize(std::span(free->ids).subspan(2, 1))};
  const Result<Generation> stopped = generate(*engine, request);
  EXPECT_GE(stopped->ids.size(), 10u);
}

std::vector<float> embed(Engine& engine, Pooling pooling) {
  Request request;
  request.prompt = prompt_ids();
  request.embedding = pooling;
  Result<Stream> stream = engine.submit(std::move(request));
  EXPECT_TRUE(stream.ok()) << stream.error().message;
  return last_event(*stream).embedding;
}

TEST(Engine, EmbeddingsAreThePooledHiddenStates) {
  const LoadedModel& loaded = bundled();
  const std::vector<int32_t> ids = prompt_ids();
  const auto n = static_cast<int32_t>(ids.size());
  models::DecoderOptions options;
  options.n_cache_blocks = 8;
  models::Decoder decoder = make_decoder(*loaded.model, options);
  std::vector<int32_t> positions;
  std::vector<int32_t> blocks;
  for (int32_t i = 0; i < n; ++i) positions.push_back(i);
  for (int32_t i = 0; i < 8; ++i) blocks.push_back(i);
  const SequenceRows rows{.row_begin = 0, .row_end = n, .kv_len = n, .block_table = blocks};
  std::vector<double> mean(static_cast<size_t>(loaded.spec().hidden_dim));
  std::vector<float> last(mean.size());
  const models::LayerProbe probe = [&](std::string_view stage, const ActivationView& hidden) {
    if (stage != "final_norm") return;
    for (int64_t row = 0; row < n; ++row) {
      for (size_t d = 0; d < mean.size(); ++d) {
        mean[d] += static_cast<double>(hidden.row(row)[d]);
        last[d] = hidden.row(row)[d];
      }
    }
  };
  (void)decoder.step({ids, positions, {&rows, 1}, {}}, &probe);

  for (const int32_t step_tokens : {512, 7}) {
    EngineOptions engine_options = small();
    engine_options.max_step_tokens = step_tokens;
    const auto engine = make_engine(bundled_model(), engine_options);
    EXPECT_EQ(embed(*engine, Pooling::kLast), last);
    const std::vector<float> pooled = embed(*engine, Pooling::kMean);
    ASSERT_EQ(pooled.size(), mean.size());
    for (size_t d = 0; d < mean.size(); ++d) {
      EXPECT_EQ(pooled[d], static_cast<float>(mean[d] / n)) << d;
    }
  }
}

// Only name, type and number of parameters were hashed: a model trained further had the same one.
TEST(Engine, ModelsOfOneShapeWithOtherWeightsHaveOtherFingerprints) {
  const std::span<const std::byte> file = forge::bundled_model();
  std::vector<std::byte> bytes(file.begin(), file.end());
  const auto fingerprint = [&bytes] {
    auto weights = models::load_gguf_model(bytes, "copy");
    EXPECT_TRUE(weights.ok()) << weights.error().message;
    LoadedModel loaded = load_bundled();
    loaded.model = std::move(weights).value();
    return make_engine(Model::from(std::move(loaded)), small())->info().fingerprint;
  };
  const std::string as_it_is = make_engine(bundled_model(), small())->info().fingerprint;
  EXPECT_EQ(fingerprint(), as_it_is);
  const TensorView& last = bundled().model->tensor_set().tensors().back().view;
  bytes[static_cast<size_t>(last.data - file.data()) + 10] ^= std::byte{1};
  EXPECT_NE(fingerprint(), as_it_is);
}

TEST(Engine, OptionsOutOfRangeAreRefusedByName) {
  const auto message = [](const EngineOptions& options) {
    const auto engine = Engine::create(bundled_model(), options);
    return engine.ok() ? std::string() : engine.error().message;
  };
  EXPECT_EQ(message({.context_len = 513}), "context_len is 513, expected 0 to 512");
  EXPECT_EQ(message({.kv_dtype = "int4"}), "kv_dtype \"int4\": expected bf16, f16, f32 or int8");
  EXPECT_EQ(message({.device = "tpu"}), "device tpu: expected auto, cpu, cuda or cuda:N");
  EXPECT_EQ(message({.dtype = "fp8"}), "dtype \"fp8\": expected bf16, f16, tf32 or f32");
  for (const std::string dtype : {"tf32", "f32"}) {
    EXPECT_EQ(message({.device = "cpu", .dtype = dtype}),
              "products in " + dtype + " are for NVIDIA devices, and this is device cpu");
  }
  EXPECT_EQ(message({.gpu_memory_fraction = 1.0}),
            "gpu_memory_fraction is 1, expected 0.05 to 0.98");
  EXPECT_EQ(message({.max_sequences = 600, .max_step_tokens = 100}),
            "max_sequences is 600, expected 1 to 100");
  EXPECT_EQ(message({.prompt_share = 0.0}), "prompt_share is 0, expected a number > 0 and <= 1");
  EXPECT_EQ(message({.context_len = 512, .kv_cache_tokens = 100}),
            "kv_cache_tokens is 100, a context of 512 does not fit into it");
}

}  // namespace
}  // namespace forge::engine
