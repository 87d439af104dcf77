// Trusts: the GGUF specification and what llama.cpp's reader takes absent keys for.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "forge/formats/gguf_writer.h"
#include "forge/models/model_config.h"
#include "tests/temporary_folder.h"

namespace forge::models {
namespace {

using formats::GgufWriter;

// A metadata-only model: the embedding is the one tensor the config reader needs.
class GgufText {
 public:
  explicit GgufText(std::string architecture) : architecture_(std::move(architecture)) {
    for (const auto& [key, value] :
         std::initializer_list<std::pair<const char*, uint32_t>>{{"block_count", 2},
                                                                 {"context_length", 512},
                                                                 {"embedding_length", 64},
                                                                 {"feed_forward_length", 96},
                                                                 {"attention.head_count", 4},
                                                                 {"attention.head_count_kv", 2}}) {
      set(key, [key = std::string(key), value = value](GgufWriter& w, const std::string& a) {
        w.put_uint32(a + key, value);
      });
    }
    number("attention.layer_norm_rms_epsilon", 1e-5f);
    tensor("token_embd.weight", Shape{192, 64});
  }

  using Put = std::function<void(GgufWriter&, const std::string& prefix)>;
  GgufText& set(const std::string& key, Put put) {
    keys_[key] = std::move(put);
    return *this;
  }
  GgufText& drop(const std::string& key) {
    keys_.erase(key);
    return *this;
  }
  GgufText& integer(const std::string& key, uint32_t value) {
    return set(key,
               [key, value](GgufWriter& w, const std::string& a) { w.put_uint32(a + key, value); });
  }
  GgufText& number(const std::string& key, float value) {
    return set(
        key, [key, value](GgufWriter& w, const std::string& a) { w.put_float32(a + key, value); });
  }
  GgufText& text(const std::string& key, const std::string& value) {
    return set(key,
               [key, value](GgufWriter& w, const std::string& a) { w.put_string(a + key, value); });
  }
  GgufText& flag(const std::string& key, bool value) {
    return set(key,
               [key, value](GgufWriter& w, const std::string& a) { w.put_bool(a + key, value); });
  }
  GgufText& integers(const std::string& key, std::vector<int32_t> values) {
    return set(
        key, [key, values](GgufWriter& w, const std::string& a) { w.put_int32s(a + key, values); });
  }
  GgufText& tensor(const std::string& name, const Shape& shape, float value = 1.0f) {
    tensors_[name] = {shape, std::vector<float>(static_cast<size_t>(*shape.numel()), value)};
    return *this;
  }

  [[nodiscard]] Result<ModelSpec> read(const LoadOptions& options = {}) const {
    const TemporaryFolder folder;
    GgufWriter writer;
    writer.put_string("general.architecture", architecture_);
    for (const auto& [key, put] : keys_) put(writer, architecture_ + ".");
    for (const auto& [name, tensor] : tensors_) {
      writer.add_tensor(name, {.dtype = DType::kF32,
                               .shape = tensor.first,
                               .data = reinterpret_cast<const std::byte*>(tensor.second.data())});
    }
    FORGE_TRY_STATUS(writer.write(folder.path("m.gguf")));
    FORGE_TRY(const auto file, formats::GgufFile::open(folder.path("m.gguf")));
    auto spec = read_gguf_spec(file, options);
    if (spec.ok()) return spec;
    // The path differs in every run; messages are compared without it.
    return Error{spec.error().message.substr(folder.path("m.gguf").size() + 2)};
  }

 private:
  std::string architecture_;
  std::map<std::string, Put> keys_;
  std::map<std::string, std::pair<Shape, std::vector<float>>> tensors_;
};

ModelSpec read_or_die(const GgufText& text) {
  const auto spec = text.read();
  FORGE_CHECK(spec.ok(), "{}", spec.error().message);
  return *spec;
}

TEST(GgufConfig, reads_the_common_sizes) {
  const ModelSpec spec = read_or_die(GgufText("qwen2").number("rope.freq_base", 1e6f));
  EXPECT_EQ(spec.architecture, "qwen2");
  EXPECT_EQ(spec.n_layers, 2);
  EXPECT_EQ(spec.hidden_dim, 64);
  EXPECT_EQ(spec.ffn_dim, 96);
  EXPECT_EQ(spec.n_heads, 4);
  EXPECT_EQ(spec.n_kv_heads, 2);
  EXPECT_EQ(spec.head_dim, 16);
  EXPECT_EQ(spec.vocab_size, 192);
  EXPECT_EQ(spec.context_len, 512);
  EXPECT_EQ(spec.norm_eps, 1e-5f);
  EXPECT_EQ(spec.rope.description, "theta 1000000");
  EXPECT_TRUE(spec.has_qkv_bias);
}

TEST(GgufConfig, layout_and_ties_by_family_and_tensors) {
  EXPECT_EQ(read_or_die(GgufText("llama")).rope.layout, RopeLayout::kPairs);
  for (const char* name : {"qwen2", "qwen3", "phi3"}) {
    EXPECT_EQ(read_or_die(GgufText(name)).rope.layout, RopeLayout::kHalves) << name;
  }
  EXPECT_TRUE(read_or_die(GgufText("llama")).has_tied_embeddings);
  EXPECT_FALSE(
      read_or_die(GgufText("llama").tensor("output.weight", Shape{192, 64})).has_tied_embeddings);
  const ModelSpec biased = read_or_die(GgufText("llama")
                                           .tensor("blk.0.attn_q.bias", Shape{64})
                                           .tensor("blk.0.attn_output.bias", Shape{64})
                                           .tensor("blk.0.ffn_gate.bias", Shape{96}));
  EXPECT_TRUE(biased.has_qkv_bias && biased.has_output_bias && biased.has_mlp_bias);
  const ModelSpec plain = read_or_die(GgufText("llama"));
  EXPECT_FALSE(plain.has_qkv_bias || plain.has_output_bias || plain.has_mlp_bias);
}

TEST(GgufConfig, lists_of_equal_sizes_are_one_size) {
  const ModelSpec spec = read_or_die(GgufText("llama")
                                         .integers("attention.head_count_kv", {2, 2})
                                         .integers("feed_forward_length", {96, 96}));
  EXPECT_EQ(spec.n_kv_heads, 2);
  EXPECT_EQ(spec.ffn_dim, 96);
}

TEST(GgufConfig, head_size_and_window) {
  const ModelSpec spec = read_or_die(GgufText("qwen3")
                                         .integer("attention.key_length", 32)
                                         .integer("attention.value_length", 32)
                                         .integer("attention.sliding_window", 100));
  EXPECT_EQ(spec.head_dim, 32);
  EXPECT_EQ(spec.sliding_window, std::vector<int32_t>(2, 100));
  EXPECT_EQ(read_or_die(GgufText("qwen3").integer("attention.sliding_window", 512)).sliding_window,
            std::vector<int32_t>(2, 0));
}

TEST(GgufConfig, rope_scalings) {
  const ModelSpec plain = read_or_die(GgufText("llama"));
  const ModelSpec divided =
      read_or_die(GgufText("llama").tensor("rope_freqs.weight", Shape{8}, 2.0f));
  const ModelSpec linear = read_or_die(
      GgufText("llama").text("rope.scaling.type", "linear").number("rope.scaling.factor", 2.0f));
  const ModelSpec untyped = read_or_die(GgufText("llama").number("rope.scaling.factor", 2.0f));
  const ModelSpec old = read_or_die(GgufText("llama").number("rope.scale_linear", 2.0f));
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(divided.rope.inv_freq[i], plain.rope.inv_freq[i] / 2.0f);
  }
  EXPECT_EQ(linear.rope.inv_freq, divided.rope.inv_freq);
  EXPECT_EQ(untyped.rope.inv_freq, divided.rope.inv_freq);
  EXPECT_EQ(old.rope.inv_freq, divided.rope.inv_freq);
  const ModelSpec none = read_or_die(
      GgufText("llama").text("rope.scaling.type", "none").number("rope.scaling.factor", 2.0f));
  EXPECT_EQ(none.rope.inv_freq, plain.rope.inv_freq);
  const ModelSpec yarn = read_or_die(GgufText("qwen2")
                                         .text("rope.scaling.type", "yarn")
                                         .number("rope.scaling.factor", 4.0f)
                                         .integer("rope.scaling.original_context_length", 128));
  EXPECT_FLOAT_EQ(yarn.rope.attention_scale, 1.0f + 0.1f * std::log(4.0f));
  const ModelSpec longrope = read_or_die(GgufText("phi3")
                                             .integer("rope.dimension_count", 12)
                                             .integer("rope.scaling.original_context_length", 128)
                                             .number("rope.scaling.attn_factor", 1.25f)
                                             .tensor("rope_factors_short.weight", Shape{6}, 1.0f)
                                             .tensor("rope_factors_long.weight", Shape{6}, 4.0f));
  EXPECT_EQ(longrope.rope.rotary_dim, 12);
  EXPECT_EQ(longrope.rope.attention_scale, 1.25f);
  EXPECT_EQ(longrope.rope.long_inv_freq[0], 0.25f);
  EXPECT_EQ(longrope.rope.inv_freq[0], 1.0f);
}

TEST(GgufConfig, unknown_keys_become_notes_where_allowed) {
  const auto spec = GgufText("llama").integer("new_feature", 3).read({.allow_unknown_keys = true});
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->notes.size(), 1u);
}

struct Refusal {
  const char* name;
  GgufText file;
  const char* message;
};

class GgufRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(GgufRefusal, names_key_value_and_expectation) {
  const auto spec = GetParam().file.read();
  ASSERT_FALSE(spec.ok());
  EXPECT_EQ(spec.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, GgufRefusal,
    testing::Values(
        Refusal{"architecture", GgufText("gemma"),
                "key \"general.architecture\" = \"gemma\": Forge runs llama, qwen2, qwen3, phi3"},
        Refusal{"missing_size", GgufText("llama").drop("block_count"),
                "key \"llama.block_count\": required and missing"},
        Refusal{"text_for_a_size", GgufText("llama").text("block_count", "2"),
                "key \"llama.block_count\" = \"2\": expected an integer from 1 to 4096"},
        Refusal{"sizes_differ", GgufText("llama").integers("attention.head_count_kv", {2, 4}),
                "key \"llama.attention.head_count_kv\" = int32[2] [2, 4]: differs between layers, "
                "which Forge "
                "does not support"},
        Refusal{"experts", GgufText("llama").integer("expert_count", 8),
                "key \"llama.expert_count\" = 8: Forge implements only 0"},
        Refusal{"softcap", GgufText("llama").number("attn_logit_softcapping", 50.0f),
                "key \"llama.attn_logit_softcapping\" = 50: Forge implements only 0"},
        Refusal{"value_length",
                GgufText("qwen3")
                    .integer("attention.key_length", 32)
                    .integer("attention.value_length", 16),
                "key \"qwen3.attention.value_length\" = 16: expected attention.key_length, 32"},
        Refusal{"partial_rotary", GgufText("llama").integer("rope.dimension_count", 8),
                "key \"llama.rope.dimension_count\" = 8: expected the head size, 16"},
        Refusal{
            "rope_type", GgufText("llama").text("rope.scaling.type", "ntk"),
            "key \"llama.rope.scaling.type\" = \"ntk\": expected none, linear, yarn or longrope"},
        Refusal{
            "longrope_without_tensors", GgufText("phi3").text("rope.scaling.type", "longrope"),
            "key \"phi3.rope.scaling.type\" = \"longrope\": tensors \"rope_factors_short.weight\" "
            "and \"rope_factors_long.weight\" are missing"},
        Refusal{"long_factors_only",
                GgufText("phi3")
                    .tensor("rope_factors_long.weight", Shape{8})
                    .integer("rope.scaling.original_context_length", 128),
                "short rope factors: 0 values, expected 8 (half of 16 rotary dimensions)"},
        Refusal{"divisors_and_linear",
                GgufText("llama")
                    .tensor("rope_freqs.weight", Shape{8})
                    .text("rope.scaling.type", "linear")
                    .number("rope.scaling.factor", 2.0f),
                "key \"llama.rope.scaling.type\" = \"linear\": does not go with tensor "
                "\"rope_freqs.weight\" of the same file"},
        Refusal{"divisor_count", GgufText("llama").tensor("rope_freqs.weight", Shape{7}),
                "rope frequency divisors: 7 values, expected 8 (half of 16 rotary dimensions)"},
        Refusal{"vocab_size", GgufText("llama").integer("vocab_size", 200),
                "key \"llama.vocab_size\" = 200: tensor \"token_embd.weight\" has 192 rows"},
        Refusal{"not_causal", GgufText("llama").flag("attention.causal", false),
                "key \"llama.attention.causal\" = false: Forge implements only true"},
        Refusal{
            "unknown_key", GgufText("llama").integer("new_feature", 3),
            "key \"llama.new_feature\" = 3: Forge does not know this key, so the model's maths may "
            "not be what it runs"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace forge::models
