#include "tests/models/gguf_from_hf.h"

#include <cmath>
#include <cstring>
#include <deque>
#include <map>
#include <numbers>
#include <vector>

#include "forge/base/check.h"
#include "forge/base/json.h"
#include "forge/formats/gguf_writer.h"
#include "forge/formats/safetensors.h"
#include "forge/tensor/decode.h"
#include "forge/tensor/encode.h"

namespace forge::models {
namespace {

// Names inside "model.layers.<i>." and "blk.<i>.", without ".weight" and ".bias".
const std::map<std::string, std::string>& layer_names() {
  static const std::map<std::string, std::string> names{
      {"input_layernorm", "attn_norm"},    {"post_attention_layernorm", "ffn_norm"},
      {"self_attn.q_proj", "attn_q"},      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},      {"self_attn.qkv_proj", "attn_qkv"},
      {"self_attn.o_proj", "attn_output"}, {"self_attn.q_norm", "attn_q_norm"},
      {"self_attn.k_norm", "attn_k_norm"}, {"mlp.gate_proj", "ffn_gate"},
      {"mlp.up_proj", "ffn_up"},           {"mlp.gate_up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"},
  };
  return names;
}

std::string gguf_name(const std::string& hf) {
  if (hf == "model.embed_tokens.weight") return "token_embd.weight";
  if (hf == "model.norm.weight") return "output_norm.weight";
  if (hf == "lm_head.weight") return "output.weight";
  const std::string prefix = "model.layers.";
  const size_t dot = hf.find('.', prefix.size());
  const size_t suffix = hf.rfind('.');
  FORGE_CHECK(hf.starts_with(prefix) && dot != std::string::npos, "{}", hf);
  return "blk." + hf.substr(prefix.size(), dot - prefix.size()) + "." +
         layer_names().at(hf.substr(dot + 1, suffix - dot - 1)) + hf.substr(suffix);
}

class Converter {
 public:
  Converter(const std::string& folder, const GgufRecipe& recipe) : recipe_(recipe) {
    auto config = json::Document::load(folder + "/config.json");
    FORGE_CHECK(config.ok(), "{}", config.error().message);
    document_.emplace(std::move(*config));
    config_ = document_->root();
    auto tensors = formats::open_safetensors_folder(folder);
    FORGE_CHECK(tensors.ok(), "{}", tensors.error().message);
    tensors_ = std::move(*tensors);
    model_type_ = config_.find("model_type").as_string().value();
    architecture_ = model_type_ == "mistral" ? "llama" : model_type_;
  }

  void write(const std::string& path) {
    put_metadata();
    for (const formats::NamedTensor& tensor : tensors_.tensors()) add(tensor);
    put_rope();
    const Status status = writer_.write(path);
    FORGE_CHECK(status.ok(), "{}", status.error().message);
  }

 private:
  [[nodiscard]] int64_t integer(const char* key) const {
    const auto value = config_.find(key).as_int();
    FORGE_CHECK(value.has_value(), "{}", key);
    return *value;
  }
  [[nodiscard]] int64_t head_dim() const {
    return config_.find("head_dim")
        .as_int()
        .value_or(integer("hidden_size") / integer("num_attention_heads"));
  }
  // rope_parameters of version 5, or rope_scaling of version 4.
  [[nodiscard]] json::Value rope() const {
    const json::Value old = config_.find("rope_scaling");
    return old.is_object() ? old : config_.find("rope_parameters");
  }
  [[nodiscard]] double rope_number(const char* key, double fallback) const {
    const auto inside = rope().find(key).as_double();
    return inside ? *inside : config_.find(key).as_double().value_or(fallback);
  }
  [[nodiscard]] std::string rope_kind() const {
    const auto kind = rope().find("rope_type").as_string();
    return std::string(kind ? *kind : rope().find("type").as_string().value_or("default"));
  }
  [[nodiscard]] int64_t rotary_dim() const {
    return static_cast<int64_t>(static_cast<double>(head_dim()) *
                                rope_number("partial_rotary_factor", 1.0));
  }

  [[nodiscard]] std::string key(const char* name) const { return architecture_ + "." + name; }
  void put(const char* name, int64_t value) {
    writer_.put_uint32(key(name), static_cast<uint32_t>(value));
  }

  void put_metadata() {
    writer_.put_string("general.architecture", architecture_);
    writer_.put_string("general.type", "model");
    writer_.put_string("general.name", "tiny " + model_type_);
    put("block_count", integer("num_hidden_layers"));
    put("context_length", integer("max_position_embeddings"));
    put("embedding_length", integer("hidden_size"));
    put("feed_forward_length", integer("intermediate_size"));
    put("attention.head_count", integer("num_attention_heads"));
    put("attention.head_count_kv", integer("num_key_value_heads"));
    writer_.put_float32(key("attention.layer_norm_rms_epsilon"),
                        static_cast<float>(config_.find("rms_norm_eps").as_double().value()));
    writer_.put_float32(key("rope.freq_base"),
                        static_cast<float>(rope_number("rope_theta", 10000.0)));
    if (config_.find("head_dim").as_int()) {
      put("attention.key_length", head_dim());
      put("attention.value_length", head_dim());
    }
    if (architecture_ != "qwen2" && architecture_ != "qwen3") {
      put("vocab_size", integer("vocab_size"));
      put("rope.dimension_count", rotary_dim());
    }
    if (model_type_ == "mistral" || model_type_ == "phi3") {
      if (const auto window = config_.find("sliding_window").as_int()) {
        put("attention.sliding_window", *window);
      }
    }
    writer_.put_uint32("tokenizer.ggml.bos_token_id",
                       static_cast<uint32_t>(integer("bos_token_id")));
    writer_.put_uint32("tokenizer.ggml.eos_token_id",
                       static_cast<uint32_t>(integer("eos_token_id")));
  }

  void put_rope() {
    const std::string kind = rope_kind();
    if (kind == "yarn" && model_type_ != "phi3") {
      writer_.put_string(key("rope.scaling.type"), "yarn");
      writer_.put_float32(key("rope.scaling.factor"), static_cast<float>(rope_number("factor", 1)));
      put("rope.scaling.original_context_length",
          static_cast<int64_t>(rope_number("original_max_position_embeddings", 0)));
    } else if (kind == "llama3") {
      add_vector("rope_freqs.weight", llama3_divisors());
    } else if (kind == "longrope") {
      const int64_t original = integer("original_max_position_embeddings");
      const double scale =
          static_cast<double>(integer("max_position_embeddings")) / static_cast<double>(original);
      const double factor =
          scale > 1.0 ? std::sqrt(1.0 + std::log(scale) / std::log(static_cast<double>(original)))
                      : 1.0;
      put("rope.scaling.original_context_length", original);
      writer_.put_float32(key("rope.scaling.attn_factor"), static_cast<float>(factor));
      add_vector("rope_factors_long.weight", factors("long_factor"));
      add_vector("rope_factors_short.weight", factors("short_factor"));
    }
  }

  [[nodiscard]] std::vector<float> factors(const char* name) const {
    const json::Value list = rope().find(name);
    std::vector<float> values;
    for (size_t i = 0; i < list.size(); ++i) {
      values.push_back(static_cast<float>(list.at(i).as_double().value()));
    }
    return values;
  }

  // The converter works these out in double and stores them as f32.
  [[nodiscard]] std::vector<float> llama3_divisors() const {
    const double factor = rope_number("factor", 8.0);
    const double low = rope_number("low_freq_factor", 1.0);
    const double high = rope_number("high_freq_factor", 4.0);
    const double context = rope_number("original_max_position_embeddings", 8192.0);
    const auto dim = static_cast<double>(head_dim());
    std::vector<float> divisors;
    for (int64_t i = 0; i < head_dim(); i += 2) {
      const double power = std::pow(rope_number("rope_theta", 1e4), static_cast<double>(i) / dim);
      const double wavelength = 2.0 * std::numbers::pi * power;
      if (wavelength < context / high) {
        divisors.push_back(1.0f);
      } else if (wavelength > context / low) {
        divisors.push_back(static_cast<float>(factor));
      } else {
        const double smooth = (context / wavelength - low) / (high - low);
        divisors.push_back(static_cast<float>(1.0 / ((1.0 - smooth) / factor + smooth)));
      }
    }
    return divisors;
  }

  void add_vector(const std::string& name, const std::vector<float>& values) {
    add_values(name, Shape{static_cast<int64_t>(values.size())}, values, DType::kF32);
  }

  void add_values(const std::string& name, const Shape& shape, const std::vector<float>& values,
                  DType dtype) {
    std::vector<std::byte>& bytes = storage_.emplace_back();
    bytes.resize(static_cast<size_t>(*row_bytes(dtype, shape.columns()) * shape.rows()));
    encode(dtype, values.data(), static_cast<int64_t>(values.size()), bytes.data());
    writer_.add_tensor(name, TensorView{.dtype = dtype, .shape = shape, .data = bytes.data()});
  }

  // Rows of q and k of each head: halves side by side become neighbours.
  [[nodiscard]] std::vector<float> permuted(const std::vector<float>& values, int64_t n_rows,
                                            int64_t n_heads) const {
    const int64_t per_head = n_rows / n_heads;
    const auto columns = static_cast<int64_t>(values.size()) / n_rows;
    std::vector<float> out(values.size());
    for (int64_t r = 0; r < n_rows; ++r) {
      const int64_t in_head = r % per_head;
      const int64_t half = in_head / (per_head / 2);
      const int64_t to = r - in_head + 2 * (in_head % (per_head / 2)) + half;
      std::memcpy(out.data() + to * columns, values.data() + r * columns,
                  static_cast<size_t>(columns) * sizeof(float));
    }
    return out;
  }

  void add(const formats::NamedTensor& tensor) {
    const TensorView& view = tensor.view;
    std::vector<float> values(static_cast<size_t>(view.rows() * view.columns()));
    decode(view.dtype, view.data, static_cast<int64_t>(values.size()), values.data());
    const bool is_vector = view.shape.rank() == 1;
    if (architecture_ == "llama") {
      const int64_t n_rows = is_vector ? view.columns() : view.rows();
      if (tensor.name.find("q_proj") != std::string::npos) {
        values = permuted(values, n_rows, integer("num_attention_heads"));
      } else if (tensor.name.find("k_proj") != std::string::npos) {
        values = permuted(values, n_rows, integer("num_key_value_heads"));
      }
    }
    DType dtype = is_vector ? DType::kF32 : recipe_.matrices.value_or(view.dtype);
    if (view.columns() % info(dtype).block_len != 0) dtype = recipe_.fallback;
    if (recipe_.store == Store::kDecoded) {
      const auto n = static_cast<int64_t>(values.size());
      std::vector<std::byte> blocks(static_cast<size_t>(*row_bytes(dtype, n)));
      encode(dtype, values.data(), n, blocks.data());
      decode(dtype, blocks.data(), n, values.data());
      dtype = DType::kF32;
    }
    add_values(gguf_name(tensor.name), view.shape, values, dtype);
  }

  const GgufRecipe recipe_;
  std::optional<json::Document> document_;
  json::Value config_;
  formats::TensorSet tensors_;
  std::string model_type_;
  std::string architecture_;
  formats::GgufWriter writer_;
  std::deque<std::vector<std::byte>> storage_;  // what the writer's views point to
};

}  // namespace

void write_gguf_from_hf(const std::string& folder, const std::string& path,
                        const GgufRecipe& recipe) {
  Converter(folder, recipe).write(path);
}

}  // namespace forge::models
