// Trusts: docs/cli.md on --dtype; the engine in bf16, whose range is f32's.
//
// Products in f16 on a device: when they are chosen, and what a request gets that f16 has no room
// for.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "forge/engine.h"
#include "forge/tensor/decode.h"
#include "forge/tensor/encode.h"
#include "tests/cuda_engine/tiny_model.h"
#include "tests/simt/fake_cuda.h"

namespace forge::engine {
namespace {

/// A golden's checkpoint with matrices of another type, those of the gates times a factor.
class ChangedModel {
 public:
  ChangedModel(DType dtype, float gate_factor)
      : model_([&] {
          LoadedModel loaded = load_bundled();
          loaded.name = "changed";
          loaded.model = models::load_or_die(models::golden_path("llama"));
          loaded.end_ids = {3};
          for (models::LayerWeights& layer : loaded.model->weights.layers) {
            for (TensorView* view : {&layer.attn_q, &layer.attn_k, &layer.attn_v,
                                     &layer.attn_output, &layer.ffn_down}) {
              change(*view, dtype, 1.0f);
            }
            for (TensorView* view : {&layer.ffn_gate, &layer.ffn_up}) {
              change(*view, dtype, gate_factor);
            }
          }
          return Model::from(std::move(loaded));
        }()) {}

  [[nodiscard]] const Model& operator*() const { return model_; }

 private:
  void change(TensorView& view, DType dtype, float factor) {
    std::vector<float> row(static_cast<size_t>(view.columns()));
    const int64_t bytes = *row_bytes(dtype, view.columns());
    std::vector<std::byte>& to = bytes_.emplace_back(static_cast<size_t>(view.rows() * bytes));
    for (int64_t r = 0; r < view.rows(); ++r) {
      decode_row(view, r, row.data());
      for (float& value : row) value *= factor;
      encode(dtype, row.data(), view.columns(), to.data() + r * bytes);
    }
    view.dtype = dtype;
    view.data = to.data();
  }

  std::deque<std::vector<std::byte>> bytes_;  // before the model, which reads them
  Model model_;
};

EngineOptions on_cuda(const std::string& dtype, std::vector<std::string>* notes = nullptr) {
  fake_cuda::set({});
  EngineOptions options;
  options.device = "cuda";
  options.n_threads = 1;
  options.context_len = 96;
  options.dtype = dtype;
  if (notes != nullptr) {
    options.on_note = [notes](std::string_view note) { notes->emplace_back(note); };
  }
  return options;
}

std::unique_ptr<Engine> make(const Model& model, const EngineOptions& options) {
  Result<std::unique_ptr<Engine>> engine = Engine::create(model, options);
  EXPECT_TRUE(engine.ok()) << engine.error().message;
  return std::move(engine).value();
}

TEST(DtypeOnADevice, FollowsWeightsThatAreF16) {
  const ChangedModel f16(DType::kF16, 1.0f);
  const ChangedModel bf16(DType::kBF16, 1.0f);
  struct Case {
    const Model& model;
    std::string dtype;
    std::string arithmetic;
    std::string rounded;  // of the layers' matrices, in the note
  };
  const Case cases[] = {{*f16, "", "f16", ""},
                        {*f16, "bf16", "bf16", "F16"},
                        {*bf16, "", "bf16", ""},
                        {*bf16, "f16", "f16", "BF16"}};
  std::vector<std::string> fingerprints;
  for (const Case& each : cases) {
    std::vector<std::string> notes;
    const auto engine = make(each.model, on_cuda(each.dtype, &notes));
    EXPECT_EQ(engine->info().arithmetic, each.arithmetic);
    EXPECT_EQ(engine->info().kv_dtype, each.arithmetic);
    fingerprints.push_back(engine->info().fingerprint);
    // The embedding is F32, and is rounded in any case.
    const std::string types = each.rounded.empty() ? "F32" : "F32, " + each.rounded;
    EXPECT_EQ(notes, std::vector<std::string>{"weights of type " + types + " are rounded to " +
                                              each.arithmetic + ", in which the device computes"});
  }
  EXPECT_NE(fingerprints[0], fingerprints[1]);
  EXPECT_NE(fingerprints[2], fingerprints[3]);
}

TEST(DtypeOnADevice, TheCacheIsOfTheSameTypeOrOfEightBits) {
  const Model model = tiny_model("llama");
  const auto message = [&](const std::string& dtype, const std::string& kv_dtype) {
    EngineOptions options = on_cuda(dtype);
    options.kv_dtype = kv_dtype;
    const Result<std::unique_ptr<Engine>> engine = Engine::create(model, options);
    return engine.ok() ? (*engine)->info().kv_dtype : engine.error().message;
  };
  for (const std::string type : {"bf16", "f16"}) {
    EXPECT_EQ(message(type, type), type);
    EXPECT_EQ(message(type, "fp8"), "fp8");
    EXPECT_EQ(message(type, "int8"), "int8");
  }
  EXPECT_EQ(
      message("f16", "bf16"),
      "kv_dtype \"bf16\": on an NVIDIA device with products in f16 expected f16, fp8 or int8");
  EXPECT_EQ(
      message("", "f16"),
      "kv_dtype \"f16\": on an NVIDIA device with products in bf16 expected bf16, fp8 or int8");
}

/// The error that a request ends with; "": none.
std::string error_of(Engine& engine, const Request& request) {
  Result<Stream> stream = engine.submit(request);
  if (!stream.ok()) return stream.error().message;
  std::string error;
  while (!stream->is_done()) {
    for (const StreamEvent& event : stream->wait()) {
      if (event.error) error = event.error->message;
    }
  }
  return error;
}

// gate * up of 10^8: f16 ends at 2^20 there. Every way in which results leave the device.
TEST(DtypeOnADevice, WhatF16HasNoRoomForEndsRequestsWithTheWayOut) {
  const ChangedModel model(DType::kF32, 3e4f);
  Request greedy;
  greedy.prompt = {5, 9, 60, 71};
  greedy.max_tokens = 4;
  greedy.ignore_eos = true;
  Request drawn = greedy;
  drawn.sampling = {.temperature = 0.9, .top_p = 0.8};
  Request scored = greedy;
  scored.max_tokens = 0;
  scored.prompt_logprobs = true;
  scored.n_logprobs = 1;
  Request embedded = greedy;
  embedded.max_tokens.reset();
  embedded.embedding = Pooling::kMean;
  const auto in_bf16 = make(*model, on_cuda("bf16"));
  const auto in_f16 = make(*model, on_cuda("f16"));
  for (const Request& request : {greedy, drawn, scored, embedded}) {
    EXPECT_EQ(error_of(*in_bf16, request), "");
    const std::string error = error_of(*in_f16, request);
    EXPECT_TRUE(error.ends_with("are broken, or too large for f16: use --dtype bf16")) << error;
  }
  EXPECT_EQ(in_f16->stats().kv_blocks_used, 0);
}

}  // namespace
}  // namespace forge::engine
