// Reference: Forge's own GGUF reader, model loader and tokenizer, which are tested on real files;
// the moments of the normal distribution.
#include "forge/engine/random_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "forge/base/mapped_file.h"
#include "forge/engine/loaded_model.h"
#include "forge/engine/perplexity.h"
#include "forge/engine/random_blocks.h"
#include "forge/tensor/decode.h"
#include "tests/temporary_folder.h"

namespace forge::engine {
namespace {

std::span<const std::byte> bytes_of(const HugeBuffer& buffer) {
  return {buffer.data(), buffer.bytes()};
}

HugeBuffer make(std::string_view name, int n_threads, uint64_t seed = 1) {
  const auto model = RandomModel::create(name, seed);
  EXPECT_TRUE(model.ok()) << model.error().message;
  ThreadPool pool(n_threads);
  auto buffer = model->outline();
  EXPECT_TRUE(buffer.ok()) << buffer.error().message;
  EXPECT_TRUE(model->fill(*buffer, pool).ok());
  return std::move(buffer).value();
}

/// The weights of a tensor: mean, deviation and the largest magnitude.
struct Moments {
  double mean = 0.0;
  double deviation = 0.0;
  double peak = 0.0;
};
Moments moments_of(const TensorView& view) {
  std::vector<float> row(static_cast<size_t>(view.columns()));
  double sum = 0.0;
  double squares = 0.0;
  Moments moments;
  for (int64_t r = 0; r < view.rows(); ++r) {
    decode_row(view, r, row.data());
    for (const float value : row) {
      sum += value;
      squares += static_cast<double>(value) * value;
      moments.peak = std::max(moments.peak, std::fabs(static_cast<double>(value)));
    }
  }
  const auto n = static_cast<double>(view.rows() * view.columns());
  moments.mean = sum / n;
  moments.deviation = std::sqrt(squares / n - moments.mean * moments.mean);
  return moments;
}

TEST(RandomModel, EveryTypeLoadsAndIsNormal) {
  for (const WeightMix& mix : weight_mixes()) {
    const HugeBuffer buffer = make(fmt::format("tiny-test:{}", mix.name), 1);
    const auto model = models::load_gguf_model(bytes_of(buffer), "random", {.check_weights = true});
    ASSERT_TRUE(model.ok()) << mix.name << ": " << model.error().message;
    const models::LayerWeights& layer = model.value()->weights.layers[1];
    EXPECT_EQ(layer.ffn_up.dtype, mix.base) << mix.name;
    const Moments up = moments_of(layer.ffn_up);
    // 131072 weights: five standard errors of the mean; 2 bits lose a tenth of the deviation.
    EXPECT_NEAR(up.mean, 0.0, 5 * 0.02 / std::sqrt(131072.0)) << mix.name;
    EXPECT_NEAR(up.deviation, 0.02, 0.0025) << mix.name;
    EXPECT_LT(up.peak, 0.2) << mix.name;
    const Moments norm = moments_of(layer.attn_norm);
    EXPECT_NEAR(norm.mean, 1.0, 5 * 0.02 / std::sqrt(256.0)) << mix.name;
    EXPECT_NEAR(norm.deviation, 0.02, 0.005) << mix.name;
  }
}

TEST(RandomModel, RowsDiffer) {
  const HugeBuffer buffer = make("tiny-test:q4_k", 1);
  const auto model = models::load_gguf_model(bytes_of(buffer), "random");
  ASSERT_TRUE(model.ok()) << model.error().message;
  const TensorView& down = model.value()->weights.layers[0].ffn_down;  // rows of two blocks
  std::vector<std::string_view> rows;
  for (int64_t r = 0; r < down.rows(); ++r) {
    rows.emplace_back(reinterpret_cast<const char*>(down.row(r)),
                      static_cast<size_t>(down.bytes_per_row()));
  }
  std::sort(rows.begin(), rows.end());
  // 2^20 pairs of blocks and 256 rows: one coincidence is expected in 30 seeds.
  EXPECT_EQ(std::unique(rows.begin(), rows.end()), rows.end());
}

TEST(RandomModel, SameBytesForAnyNumberOfThreadsAndInAFile) {
  const HugeBuffer one = make("tiny-test:q5_k_m", 1);
  const HugeBuffer three = make("tiny-test:q5_k_m", 3);
  ASSERT_EQ(one.bytes(), three.bytes());
  EXPECT_EQ(std::memcmp(one.data(), three.data(), one.bytes()), 0);
  const HugeBuffer other = make("tiny-test:q5_k_m", 1, 2);
  ASSERT_EQ(one.bytes(), other.bytes());
  EXPECT_NE(std::memcmp(one.data(), other.data(), one.bytes()), 0);

  const TemporaryFolder folder;
  const std::string path = folder.path("random.gguf");
  ThreadPool pool(2);
  ASSERT_TRUE(RandomModel::create("tiny-test:q5_k_m")->write(path, pool).ok());
  const auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(file->bytes().size(), one.bytes());
  EXPECT_EQ(std::memcmp(file->bytes().data(), one.data(), one.bytes()), 0);
  // The whole program takes it, tokenizer and forward pass included. An untrained model knows
  // nothing: logits of N(0, about 0.3) give hardly more than the vocabulary's 1024.
  const auto loaded = load_model({ModelSource::Kind::kGgufFile, path});
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  std::string text;
  for (int i = 0; i < 40; ++i) text += "The sea is wide, and the ship is small. ";
  PerplexityOptions options;
  options.context_len = 64;
  const auto result = compute_perplexity(*loaded, text, options);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_NEAR(result->mean_nll, std::log(1024.0), 0.3);
}

TEST(RandomModel, EverySpecHasItsTensorsAndVocabulary) {
  for (const RandomModelShape& shape : random_model_shapes()) {
    const auto model = RandomModel::create(fmt::format("{}:q4_0", shape.name));
    ASSERT_TRUE(model.ok()) << model.error().message;
    const auto buffer = model->outline();
    ASSERT_TRUE(buffer.ok()) << buffer.error().message;
    const auto loaded = models::load_gguf_model(bytes_of(*buffer), std::string(shape.name));
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    const models::ModelSpec& spec = loaded.value()->spec;
    EXPECT_EQ(spec.n_layers, shape.n_layers);
    EXPECT_EQ(spec.head_dim, shape.head_dim);
    EXPECT_EQ(spec.vocab_size, shape.vocab_size);
    EXPECT_EQ(spec.has_tied_embeddings, shape.has_tied_embeddings);
    // The slowest frequency turns by the model's factor slower.
    const double slowest = std::pow(shape.rope_theta, 2.0 / shape.head_dim - 1.0);
    const double factor = std::max(shape.llama3_rope_factor, 1.0);
    EXPECT_NEAR(spec.rope.inv_freq.back() * factor / slowest, 1.0, 1e-5) << shape.name;
  }
}

TEST(RandomModel, NamesWhatItKnows) {
  const auto message = [](std::string_view name) {
    const auto model = RandomModel::create(name);
    return model.ok() ? std::string("no error") : model.error().message;
  };
  EXPECT_EQ(RandomModel::create("SmolLM2-135M:Q4_K_M")->name(), "smollm2-135m:q4_k_m");
  EXPECT_NE(message("smollm2-135m").find("expected SPEC:TYPE"), std::string::npos);
  EXPECT_NE(message("gpt-5:q8_0").find("unknown spec \"gpt-5\", expected one of smollm2-135m"),
            std::string::npos);
  EXPECT_NE(message("smollm2-135m:q9").find("unknown type \"q9\", expected one of f32, f16"),
            std::string::npos);
}

}  // namespace
}  // namespace forge::engine
