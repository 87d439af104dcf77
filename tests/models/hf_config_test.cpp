// Trusts: what transformers 5 makes of the same keys (read from its configuration classes).
#include <gtest/gtest.h>

#include "tests/models/config_text.h"

namespace forge::models {
namespace {

ConfigText llama() { return {"LlamaForCausalLM", "llama"}; }
ConfigText qwen2() { return {"Qwen2ForCausalLM", "qwen2"}; }
ConfigText qwen3() { return {"Qwen3ForCausalLM", "qwen3"}; }
ConfigText mistral() { return {"MistralForCausalLM", "mistral"}; }
ConfigText phi3() { return {"Phi3ForCausalLM", "phi3"}; }

ModelSpec read_or_die(const ConfigText& config) {
  const auto spec = read_config(config.text());
  FORGE_CHECK(spec.ok(), "{}", spec.error().message);
  return *spec;
}

TEST(HfConfig, reads_the_common_sizes) {
  const ModelSpec spec = read_or_die(llama().set("tie_word_embeddings", "true"));
  EXPECT_EQ(spec.architecture, "llama");
  EXPECT_EQ(spec.n_layers, 2);
  EXPECT_EQ(spec.hidden_dim, 64);
  EXPECT_EQ(spec.ffn_dim, 96);
  EXPECT_EQ(spec.n_heads, 4);
  EXPECT_EQ(spec.n_kv_heads, 2);
  EXPECT_EQ(spec.head_dim, 16);
  EXPECT_EQ(spec.vocab_size, 192);
  EXPECT_EQ(spec.context_len, 512);
  EXPECT_EQ(spec.norm_eps, 1e-5f);
  EXPECT_TRUE(spec.has_tied_embeddings);
  EXPECT_EQ(spec.sliding_window, std::vector<int32_t>({0, 0}));
  EXPECT_EQ(spec.rope.layout, RopeLayout::kHalves);
  EXPECT_EQ(spec.rope.rotary_dim, 16);
}

TEST(HfConfig, absent_keys_mean_what_each_class_says) {
  EXPECT_FALSE(read_or_die(llama()).has_tied_embeddings);
  EXPECT_EQ(read_or_die(llama().drop("num_key_value_heads")).n_kv_heads, 4);
  EXPECT_EQ(read_or_die(phi3().drop("num_key_value_heads")).n_kv_heads, 4);
  EXPECT_EQ(read_or_die(mistral().set("num_key_value_heads", "null")).n_kv_heads, 4);
  EXPECT_EQ(read_or_die(llama().set("head_dim", "null")).head_dim, 16);
  EXPECT_EQ(read_or_die(llama().set("head_dim", "24")).head_dim, 24);
  EXPECT_EQ(read_or_die(qwen3()).head_dim, 128);
  EXPECT_EQ(read_or_die(qwen2()).head_dim, 16);
  // Mistral's class has a window of 4096; null says none.
  const ConfigText wide = mistral().set("max_position_embeddings", "32768");
  EXPECT_EQ(read_or_die(wide).sliding_window, std::vector<int32_t>(2, 4096));
  EXPECT_EQ(read_or_die(ConfigText(wide).set("sliding_window", "null")).sliding_window,
            std::vector<int32_t>(2, 0));
  EXPECT_EQ(read_or_die(phi3().set("max_position_embeddings", "32768")).sliding_window,
            std::vector<int32_t>(2, 0));
}

TEST(HfConfig, a_window_as_wide_as_the_context_is_none) {
  EXPECT_EQ(read_or_die(mistral().set("sliding_window", "512")).sliding_window,
            std::vector<int32_t>(2, 0));
  EXPECT_EQ(read_or_die(mistral().set("sliding_window", "511")).sliding_window,
            std::vector<int32_t>(2, 511));
}

TEST(HfConfig, biases_and_norms_by_family) {
  const ModelSpec biased =
      read_or_die(llama().set("attention_bias", "true").set("mlp_bias", "true"));
  EXPECT_TRUE(biased.has_qkv_bias && biased.has_output_bias && biased.has_mlp_bias);
  const ModelSpec plain = read_or_die(llama());
  EXPECT_FALSE(plain.has_qkv_bias || plain.has_output_bias || plain.has_mlp_bias);
  const ModelSpec two = read_or_die(qwen2());
  EXPECT_TRUE(two.has_qkv_bias && !two.has_output_bias && !two.has_qk_norm);
  const ModelSpec three = read_or_die(qwen3());
  EXPECT_TRUE(three.has_qk_norm && !three.has_qkv_bias && !three.has_output_bias);
  const ModelSpec phi = read_or_die(phi3());
  EXPECT_TRUE(phi.has_fused_qkv && phi.has_fused_gate_up);
}

TEST(HfConfig, activations) {
  EXPECT_EQ(read_or_die(llama()).activation, Activation::kSilu);
  EXPECT_EQ(read_or_die(llama().set("hidden_act", "\"swish\"")).activation, Activation::kSilu);
  EXPECT_EQ(read_or_die(llama().set("hidden_act", "\"gelu_pytorch_tanh\"")).activation,
            Activation::kGeluTanh);
}

TEST(HfConfig, qwen_windows_start_at_a_layer) {
  // A window that is there but not used, as every published Qwen2.5 says.
  const ConfigText unused = qwen2().set("sliding_window", "100").set("max_window_layers", "1");
  EXPECT_EQ(read_or_die(unused).sliding_window, std::vector<int32_t>({0, 0}));
  const ConfigText used = ConfigText(unused).set("use_sliding_window", "true");
  EXPECT_EQ(read_or_die(used).sliding_window, std::vector<int32_t>({0, 100}));
  const ConfigText null_window = ConfigText(used).set("sliding_window", "null");
  EXPECT_EQ(read_or_die(null_window).sliding_window, std::vector<int32_t>({0, 0}));
  // layer_types (version 5) goes before max_window_layers.
  const ConfigText listed =
      ConfigText(used).set("layer_types", R"(["sliding_attention", "full_attention"])");
  EXPECT_EQ(read_or_die(listed).sliding_window, std::vector<int32_t>({100, 0}));
}

TEST(HfConfig, rope_of_version_4_and_5_is_the_same) {
  const ModelSpec old = read_or_die(
      llama().set("rope_theta", "500000.0").set("rope_scaling", R"({"rope_type": "llama3",
        "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64})"));
  const ModelSpec younger = read_or_die(llama().set("rope_parameters", R"({"rope_type": "llama3",
        "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64})"));
  EXPECT_EQ(old.rope.inv_freq, younger.rope.inv_freq);
  EXPECT_EQ(old.rope.description, "theta 500000, llama3 scaling by 8 from a context of 64");
  const ModelSpec none = read_or_die(llama().set("rope_theta", "500000.0"));
  EXPECT_NE(old.rope.inv_freq, none.rope.inv_freq);
}

TEST(HfConfig, phi3_reads_old_names_of_longrope) {
  const std::string factors = R"("short_factor": [1, 1, 1, 1, 1, 1, 1, 1],
                                 "long_factor": [1, 2, 3, 4, 5, 6, 7, 8])";
  for (const char* kind : {"su", "longrope", "yarn"}) {
    const ModelSpec spec = read_or_die(
        phi3()
            .set("original_max_position_embeddings", "128")
            .set("rope_scaling", "{\"type\": \"" + std::string(kind) + "\", " + factors + "}"));
    EXPECT_EQ(spec.rope.long_inv_freq.size(), 8u) << kind;
    EXPECT_EQ(spec.rope.original_context, 128) << kind;
    EXPECT_GT(spec.rope.attention_scale, 1.0f) << kind;
  }
}

TEST(HfConfig, partial_rotary_is_phi3_only) {
  EXPECT_EQ(read_or_die(phi3().set("partial_rotary_factor", "0.75")).rope.rotary_dim, 12);
  EXPECT_FALSE(read_config(llama().set("partial_rotary_factor", "0.75").text()).ok());
}

TEST(HfConfig, model_type_alone_is_enough) {
  EXPECT_EQ(read_or_die(qwen3().drop("architectures")).architecture, "qwen3");
}

TEST(HfConfig, unknown_keys_that_say_nothing_pass) {
  EXPECT_EQ(read_or_die(llama()
                            .set("new_feature", "null")
                            .set("other_feature", "false")
                            .set("third", "\"\"")
                            .set("fourth", "[]")
                            .set("fifth", "{}"))
                .notes.size(),
            0u);
}

TEST(HfConfig, unknown_keys_become_notes_where_allowed) {
  const std::string text = llama().set("num_experts", "8").text();
  const auto spec = read_config(text, {.allow_unknown_keys = true});
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  ASSERT_EQ(spec->notes.size(), 1u);
  EXPECT_EQ(spec->notes[0], "config.json: key \"num_experts\" = 8: unknown to Forge and ignored");
  // What is known and cannot be run stays refused.
  EXPECT_FALSE(
      read_config(llama().set("hidden_act", "\"relu\"").text(), {.allow_unknown_keys = true}).ok());
}

struct Refusal {
  const char* name;
  ConfigText config;
  const char* message;  // after "config.json: "
};

class HfRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(HfRefusal, names_key_value_and_expectation) {
  const auto spec = read_config(GetParam().config.text());
  ASSERT_FALSE(spec.ok());
  EXPECT_EQ(spec.error().message, std::string("config.json: ") + GetParam().message);
}

constexpr const char* kUnknown =
    ": Forge does not know this key, so the model's maths may not be what it runs";
std::string unknown(const std::string& key, const std::string& value) {
  return "key \"" + key + "\" = " + value + kUnknown;
}

const std::string kExperts = unknown("num_experts", "8");
const std::string kSoftcap = unknown("attn_logit_softcapping", "50");
const std::string kLlamaWindow = unknown("sliding_window", "4096");
const std::string kMrope = unknown("rope_scaling.mrope_section", "[16,24,24]");

INSTANTIATE_TEST_SUITE_P(
    All, HfRefusal,
    testing::Values(
        Refusal{"missing_size", llama().drop("hidden_size"),
                "key \"hidden_size\": required and missing"},
        Refusal{"missing_epsilon", llama().drop("rms_norm_eps"),
                "key \"rms_norm_eps\": required and missing"},
        Refusal{"missing_kv_heads", qwen2().drop("num_key_value_heads"),
                "key \"num_key_value_heads\": required and missing"},
        Refusal{"text_for_a_size", llama().set("hidden_size", "\"64\""),
                "key \"hidden_size\" = \"64\": expected an integer from 1 to 1048576"},
        Refusal{"negative_size", llama().set("num_hidden_layers", "-2"),
                "key \"num_hidden_layers\" = -2: expected an integer from 1 to 4096"},
        Refusal{"huge_size", llama().set("vocab_size", "99999999999"),
                "key \"vocab_size\" = 99999999999: expected an integer from 1 to 16777216"},
        Refusal{"heads_do_not_divide", llama().set("num_attention_heads", "5"),
                "key \"hidden_size\" = 64: no multiple of num_attention_heads = 5, and there is no "
                "head_dim"},
        Refusal{"kv_heads_do_not_divide", llama().set("num_key_value_heads", "3"),
                "4 attention heads are no multiple of 3 key/value heads"},
        Refusal{"zero_epsilon", llama().set("rms_norm_eps", "0"),
                "norm epsilon: 0, expected a number above 0"},
        Refusal{"odd_head", llama().set("head_dim", "15"),
                "rotary dimensions: 15, expected an even number above 0"},
        Refusal{
            "activation", llama().set("hidden_act", "\"relu\""),
            "key \"hidden_act\" = \"relu\": expected silu, swish, gelu_pytorch_tanh or gelu_new"},
        Refusal{"bias_is_no_bool", llama().set("attention_bias", "1"),
                "key \"attention_bias\" = 1: expected true or false"},
        Refusal{"experts", llama().set("num_experts", "8"), kExperts.c_str()},
        Refusal{"softcap", llama().set("attn_logit_softcapping", "50.0"), kSoftcap.c_str()},
        Refusal{"window_in_llama", llama().set("sliding_window", "4096"), kLlamaWindow.c_str()},
        Refusal{"interleaved_rope", llama().set("rope_interleaved", "true"),
                "key \"rope_interleaved\" = true: Forge implements only false"},
        Refusal{"partial_rotary", qwen2().set("partial_rotary_factor", "0.5"),
                "partial_rotary_factor = 0.5: expected 1"},
        Refusal{
            "quantised", llama().set("quantization_config", R"({"bits":4})"),
            "key \"quantization_config\" = {\"bits\":4}: Hugging Face's quantised checkpoints are "
            "not supported; use a GGUF of this model"},
        Refusal{
            "dynamic_rope", llama().set("rope_scaling", R"({"type":"dynamic","factor":2.0})"),
            "key \"rope_scaling.type\" = \"dynamic\": dynamic scaling changes every frequency as a "
            "sequence grows, so cached keys become wrong; expected default, linear, llama3, yarn "
            "or longrope"},
        Refusal{
            "unknown_rope", llama().set("rope_scaling", R"({"rope_type":"ntk"})"),
            "key \"rope_scaling.rope_type\" = \"ntk\": expected default, linear, llama3, yarn or "
            "longrope"},
        Refusal{"mrope", qwen2().set("rope_scaling", R"({"mrope_section":[16,24,24]})"),
                kMrope.c_str()},
        Refusal{"two_ropes",
                llama()
                    .set("rope_scaling", R"({"type":"linear","factor":2.0})")
                    .set("rope_parameters", R"({"rope_type":"default"})"),
                "key \"rope_parameters\" = {\"rope_type\":\"default\"}: rope_scaling is there too; "
                "expected one of them"},
        Refusal{"rope_types_disagree",
                llama().set("rope_scaling", R"({"type":"linear","rope_type":"yarn","factor":2.0})"),
                "key \"rope_scaling.type\" = \"linear\": rope_type says \"yarn\""},
        Refusal{"longrope_length",
                phi3().set("rope_scaling",
                           R"({"type":"longrope","short_factor":[1],"long_factor":[1]})"),
                "short rope factors: 1 values, expected 8 (half of 16 rotary dimensions)"},
        Refusal{"use_mrope", qwen2().set("use_mrope", "true"),
                "key \"use_mrope\" = true: Forge implements only false"},
        Refusal{"layer_type",
                qwen3().set("layer_types", R"(["full_attention","linear_attention"])"),
                "key \"layer_types\" = [\"full_attention\",\"linear_attention\"]: expected "
                "full_attention or sliding_attention"},
        Refusal{
            "layer_type_count", qwen3().set("layer_types", R"(["full_attention"])"),
            "key \"layer_types\" = [\"full_attention\"]: 1 entries, expected num_hidden_layers = "
            "2"},
        Refusal{
            "layer_slides_without_use",
            qwen3().set("layer_types", R"(["full_attention","sliding_attention"])"),
            "key \"layer_types\" = [\"full_attention\",\"sliding_attention\"]: sliding_attention "
            "without use_sliding_window"},
        Refusal{"phi_attention_mod", phi3().set("full_attn_mod", "2"),
                "key \"full_attn_mod\" = 2: Forge implements only 1"},
        Refusal{"phi_head_bias", phi3().set("lm_head_bias", "true"),
                "key \"lm_head_bias\" = true: Forge implements only false"},
        Refusal{"unknown_class", ConfigText("GemmaForCausalLM", "gemma"),
                "key \"architectures\" = \"GemmaForCausalLM\": Forge runs LlamaForCausalLM, "
                "Qwen2ForCausalLM, Qwen3ForCausalLM, MistralForCausalLM, Phi3ForCausalLM"},
        Refusal{"unknown_type", ConfigText("x", "gemma").drop("architectures"),
                "key \"model_type\" = \"gemma\": Forge runs LlamaForCausalLM, Qwen2ForCausalLM, "
                "Qwen3ForCausalLM, MistralForCausalLM, Phi3ForCausalLM"},
        Refusal{"type_and_class_disagree", ConfigText("LlamaForCausalLM", "qwen2"),
                "key \"model_type\" = \"qwen2\": \"architectures\" says LlamaForCausalLM, expected "
                "\"llama\""},
        Refusal{"nothing_says_what", llama().drop("architectures").drop("model_type"),
                "neither \"architectures\" nor \"model_type\" says what model this is"}),
    [](const auto& test) { return test.param.name; });

TEST(HfConfig, a_key_that_stands_twice_is_refused) {
  const std::string text = R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 1,
                               "hidden_size": 2})";
  const auto spec = read_config(text);
  ASSERT_FALSE(spec.ok());
  EXPECT_EQ(spec.error().message, "config.json: key \"hidden_size\" stands twice in one object");
}

}  // namespace
}  // namespace forge::models
