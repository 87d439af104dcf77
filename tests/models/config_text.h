// config.json texts for tests, built key by key.
#pragma once

#include <map>
#include <string>

#include "forge/base/json.h"
#include "forge/base/result.h"
#include "forge/models/model_config.h"

namespace forge::models {

/// Keys and their raw JSON. Starts as a small valid config of an architecture.
class ConfigText {
 public:
  /// hf_class and model_type of one family, with sizes that every family accepts.
  ConfigText(const std::string& hf_class, const std::string& model_type)
      : members_{{"architectures", "[\"" + hf_class + "\"]"},
                 {"model_type", "\"" + model_type + "\""},
                 {"hidden_size", "64"},
                 {"intermediate_size", "96"},
                 {"num_hidden_layers", "2"},
                 {"num_attention_heads", "4"},
                 {"num_key_value_heads", "2"},
                 {"vocab_size", "192"},
                 {"max_position_embeddings", "512"},
                 {"rms_norm_eps", "1e-05"}} {}

  ConfigText& set(const std::string& key, const std::string& raw) {
    members_[key] = raw;
    return *this;
  }
  ConfigText& drop(const std::string& key) {
    members_.erase(key);
    return *this;
  }
  [[nodiscard]] std::string text() const {
    std::string result;
    for (const auto& [key, raw] : members_) {
      result += (result.empty() ? "{\"" : ", \"") + key + "\": " + raw;
    }
    return result + "}";
  }

 private:
  std::map<std::string, std::string> members_;
};

/// read_hf_spec of a text, "config.json" in errors.
inline Result<ModelSpec> read_config(const std::string& text, const LoadOptions& options = {}) {
  FORGE_TRY(const auto document, json::Document::parse(text, "config.json"));
  return read_hf_spec(document.root(), "config.json", options);
}

}  // namespace forge::models
