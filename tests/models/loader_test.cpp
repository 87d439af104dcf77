// Trusts: the loader's own promise - every way in which files and spec can disagree is refused by
// name.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <deque>
#include <limits>

#include "forge/formats/gguf_writer.h"
#include "forge/formats/safetensors.h"
#include "forge/formats/safetensors_writer.h"
#include "forge/models/bind_weights.h"
#include "forge/models/model.h"
#include "forge/tensor/decode.h"
#include "tests/models/gguf_from_hf.h"
#include "tests/models/golden.h"
#include "tests/temporary_folder.h"

namespace forge::models {
namespace {

// A copy of a golden's folder whose tensors a test may change.
class EditedFolder {
 public:
  explicit EditedFolder(const std::string& variant) : original_(golden_path(variant)) {
    auto tensors = formats::open_safetensors_folder(original_);
    FORGE_CHECK(tensors.ok(), "{}", tensors.error().message);
    source_ = std::move(*tensors);
    for (const formats::NamedTensor& tensor : source_.tensors()) tensors_.push_back(tensor);
    std::filesystem::copy_file(original_ + "/config.json", folder_.path("config.json"));
  }

  formats::NamedTensor& at(const std::string& name) {
    for (formats::NamedTensor& tensor : tensors_) {
      if (tensor.name == name) return tensor;
    }
    FORGE_CHECK(false, "no {}", name);
    return tensors_[0];
  }
  void remove(const std::string& name) {
    std::erase_if(tensors_, [&name](const auto& tensor) { return tensor.name == name; });
  }
  // Adds an F32 tensor of one value everywhere.
  void add(const std::string& name, const Shape& shape, float value = 1.0f) {
    std::vector<float>& values = storage_.emplace_back(static_cast<size_t>(*shape.numel()), value);
    tensors_.push_back({name,
                        {.dtype = DType::kF32,
                         .shape = shape,
                         .data = reinterpret_cast<const std::byte*>(values.data())},
                        ""});
  }
  // Replaces a tensor by an F32 copy and returns its values.
  std::vector<float>& writable(const std::string& name) {
    TensorView& view = at(name).view;
    std::vector<float>& values =
        storage_.emplace_back(static_cast<size_t>(view.rows() * view.columns()));
    decode(view.dtype, view.data, static_cast<int64_t>(values.size()), values.data());
    view.dtype = DType::kF32;
    view.data = reinterpret_cast<const std::byte*>(values.data());
    return values;
  }

  [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }
  [[nodiscard]] std::string weights() const { return folder_.path("model.safetensors"); }

  Result<std::unique_ptr<Model>> load(const LoadOptions& options = {}) {
    FORGE_TRY_STATUS(formats::write_safetensors(weights(), tensors_));
    return load_model(folder_.path(), options);
  }
  // The error of loading, after the path of the weights; empty where it loads.
  std::string error(const LoadOptions& options = {}) {
    const auto model = load(options);
    if (model.ok()) return "";
    const std::string& message = model.error().message;
    for (const std::string& path : {weights(), folder_.path()}) {
      if (message.starts_with(path + ": ")) return message.substr(path.size() + 2);
    }
    return message;
  }

 private:
  const std::string original_;
  TemporaryFolder folder_;
  formats::TensorSet source_;
  std::vector<formats::NamedTensor> tensors_;
  std::deque<std::vector<float>> storage_;
};

TEST(Loader, an_unchanged_copy_loads) { EXPECT_EQ(EditedFolder("llama").error(), ""); }

TEST(Loader, missing_tensor) {
  EditedFolder folder("llama");
  folder.remove("model.layers.1.self_attn.k_proj.weight");
  EXPECT_EQ(
      folder.error(),
      "tensor \"model.layers.1.self_attn.k_proj.weight\" is missing, expected shape [32, 64]");
}

TEST(Loader, missing_head_where_not_tied) {
  EditedFolder folder("llama");
  folder.remove("lm_head.weight");
  EXPECT_EQ(folder.error(), "tensor \"lm_head.weight\" is missing, expected shape [192, 64]");
}

TEST(Loader, shape_mismatch) {
  EditedFolder folder("llama");
  folder.remove("lm_head.weight");
  folder.add("lm_head.weight", Shape{191, 64});
  EXPECT_EQ(folder.error(), "tensor \"lm_head.weight\": shape [191, 64], expected [192, 64]");
}

TEST(Loader, fused_shape_mismatch) {
  EditedFolder folder("phi3");
  folder.remove("model.layers.0.self_attn.qkv_proj.weight");
  folder.add("model.layers.0.self_attn.qkv_proj.weight", Shape{128, 64});
  EXPECT_EQ(
      folder.error(),
      "tensor \"model.layers.0.self_attn.qkv_proj.weight\": shape [128, 64], expected [192, 64]");
}

TEST(Loader, tensors_of_another_architecture) {
  EditedFolder norm("llama");
  norm.add("model.layers.0.self_attn.q_norm.weight", Shape{16});
  EXPECT_EQ(
      norm.error(),
      "tensor \"model.layers.0.self_attn.q_norm.weight\" [16]: unexpected in a llama model with "
      "this config");
  EditedFolder bias("llama");
  bias.add("model.layers.1.self_attn.q_proj.bias", Shape{64});
  EXPECT_EQ(
      bias.error(),
      "tensor \"model.layers.1.self_attn.q_proj.bias\" [64]: unexpected in a llama model with "
      "this config");
  EditedFolder layer("llama");
  layer.add("model.layers.2.input_layernorm.weight", Shape{64});
  EXPECT_EQ(
      layer.error(),
      "tensor \"model.layers.2.input_layernorm.weight\" [64]: unexpected in a llama model with "
      "this config");
}

TEST(Loader, rotary_frequencies_of_old_checkpoints_are_passed_over) {
  EditedFolder folder("llama");
  folder.add("model.layers.0.self_attn.rotary_emb.inv_freq", Shape{8});
  EXPECT_EQ(folder.error(), "");
}

TEST(Loader, a_tied_head_may_stand_there_again_with_the_same_bytes) {
  EditedFolder same("qwen2");
  formats::NamedTensor head = same.at("model.embed_tokens.weight");
  head.name = "lm_head.weight";
  same.add("lm_head.weight", Shape{1, 1});
  same.at("lm_head.weight").view = head.view;
  EXPECT_EQ(same.error(), "");
  EditedFolder other("qwen2");
  other.add("lm_head.weight", Shape{192, 64});
  EXPECT_EQ(other.error(),
            "tensor \"lm_head.weight\": differs from the embedding although the config ties them");
}

TEST(Loader, nan_and_infinity_are_found_when_asked) {
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  EditedFolder nan("llama");
  nan.writable(name)[64 * 3 + 5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(nan.error(), "");
  EXPECT_EQ(nan.error({.check_weights = true}),
            "tensor \"" + name + "\": element [3, 5] is nan, expected a finite number");
  // Of several, the first is named, whichever thread finds its own first.
  EditedFolder infinity("llama");
  std::vector<float>& values = infinity.writable(name);
  for (const size_t i : {64u * 96 - 1, 64u * 95, 64u * 90 + 2}) {
    values[i] = std::numeric_limits<float>::infinity();
  }
  EXPECT_EQ(infinity.error({.check_weights = true}),
            "tensor \"" + name + "\": element [90, 2] is inf, expected a finite number");
  EditedFolder vector("llama");
  vector.writable("model.norm.weight")[7] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(vector.error({.check_weights = true}),
            "tensor \"model.norm.weight\": element [0, 7] is -inf, expected a finite number");
}

TEST(Loader, fused_tensors_are_split_into_row_ranges) {
  const auto model = load_or_die(golden_path("phi4_mini"));
  const formats::NamedTensor* qkv = model->tensors.find("model.layers.1.self_attn.qkv_proj.weight");
  ASSERT_NE(qkv, nullptr);
  const LayerWeights& layer = model->weights.layers[1];
  EXPECT_EQ(layer.attn_q.shape, (Shape{64, 64}));
  EXPECT_EQ(layer.attn_k.shape, (Shape{32, 64}));
  EXPECT_EQ(layer.attn_v.shape, (Shape{32, 64}));
  EXPECT_EQ(layer.attn_q.data, qkv->view.data);
  EXPECT_EQ(layer.attn_k.data, qkv->view.row(64));
  EXPECT_EQ(layer.attn_v.data, qkv->view.row(96));
  const formats::NamedTensor* gate_up =
      model->tensors.find("model.layers.1.mlp.gate_up_proj.weight");
  EXPECT_EQ(layer.ffn_gate.data, gate_up->view.data);
  EXPECT_EQ(layer.ffn_up.data, gate_up->view.row(96));
}

TEST(Loader, weights_the_spec_does_not_have_are_missing_views) {
  const auto plain = load_or_die(golden_path("llama"));
  EXPECT_TRUE(plain->weights.layers[0].attn_q_bias.is_missing());
  EXPECT_TRUE(plain->weights.layers[0].attn_q_norm.is_missing());
  EXPECT_NE(plain->weights.output.data, plain->weights.token_embedding.data);
  const auto biased = load_or_die(golden_path("llama_bias"));
  EXPECT_FALSE(biased->weights.layers[0].attn_output_bias.is_missing());
  EXPECT_FALSE(biased->weights.layers[0].ffn_down_bias.is_missing());
  const auto tied = load_or_die(golden_path("qwen3"));
  EXPECT_EQ(tied->weights.output.data, tied->weights.token_embedding.data);
  EXPECT_FALSE(tied->weights.layers[0].attn_k_norm.is_missing());
}

TEST(Loader, a_quantised_norm_is_refused) {
  const TemporaryFolder folder;
  write_gguf_from_hf(golden_path("llama"), folder.path("a.gguf"), {});
  const auto file = formats::GgufFile::open(folder.path("a.gguf"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  formats::GgufWriter writer;
  for (const auto& [key, value] : file->metadata()) writer.put_value(key, value);
  const std::vector<std::byte> block(68);
  for (const formats::NamedTensor& tensor : file->tensors().tensors()) {
    TensorView view = tensor.view;
    if (tensor.name == "output_norm.weight") {
      view = {.dtype = DType::kQ8_0, .shape = Shape{64}, .data = block.data()};
    }
    writer.add_tensor(tensor.name, view);
  }
  ASSERT_TRUE(writer.write(folder.path("b.gguf")).ok());
  const auto model = load_model(folder.path("b.gguf"));
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().message, folder.path("b.gguf") +
                                       ": tensor \"output_norm.weight\": type Q8_0, expected F32, "
                                       "F16 or BF16");
}

TEST(Loader, token_ids_come_from_generation_config_first) {
  EditedFolder folder("llama");
  folder.folder().write("generation_config.json", R"({"eos_token_id": [5, 7, 5, 500]})");
  const auto model = folder.load();
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ((*model)->spec.eos_ids, std::vector<int32_t>({5, 7}));
  EXPECT_EQ((*model)->spec.bos_id, 1);
  ASSERT_EQ((*model)->spec.notes.size(), 1u);
  EXPECT_EQ((*model)->spec.notes[0], "eos_token_id = 500: outside the vocabulary of 192, ignored");
  const auto plain = load_or_die(golden_path("llama"));
  EXPECT_EQ(plain->spec.eos_ids, std::vector<int32_t>({2}));
}

TEST(Loader, token_ids_that_are_no_integers_are_refused) {
  EditedFolder folder("llama");
  folder.folder().write("generation_config.json", R"({"eos_token_id": "</s>"})");
  EXPECT_EQ(folder.error(),
            folder.folder().path("generation_config.json") +
                ": eos_token_id = \"</s>\": expected an integer or a list of integers");
}

TEST(Loader, gguf_token_ids_and_name) {
  const TemporaryFolder folder;
  write_gguf_from_hf(golden_path("qwen2"), folder.path("a.gguf"), {});
  const auto model = load_or_die(folder.path("a.gguf"));
  EXPECT_EQ(model->spec.bos_id, 1);
  EXPECT_EQ(model->spec.eos_ids, std::vector<int32_t>({2}));
  EXPECT_EQ(model->spec.model_name, "tiny qwen2");
  EXPECT_EQ(load_or_die(golden_path("qwen2") + "/")->spec.model_name, "qwen2");
}

TEST(Loader, paths_that_are_no_model) {
  const TemporaryFolder folder;
  const auto message = [](const std::string& path) {
    const auto model = load_model(path);
    return model.ok() ? std::string() : model.error().message;
  };
  EXPECT_EQ(message(folder.path("absent")), folder.path("absent") + ": no such file or folder");
  EXPECT_EQ(message(golden_path("llama") + "/model.safetensors"),
            golden_path("llama") +
                "/model.safetensors: expected the folder that holds it "
                "(config.json and *.safetensors), or a .gguf file");
  EXPECT_NE(message(folder.path()).find("config.json"), std::string::npos);
  folder.write("text.gguf", "this is no model at all");
  EXPECT_NE(message(folder.path("text.gguf")).find("text.gguf"), std::string::npos);
}

}  // namespace
}  // namespace forge::models
