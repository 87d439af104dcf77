// A loaded checkpoint: what it is, and text to tokens and back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/result.h"

namespace forge {

namespace engine {
struct LoadedModel;
}  // namespace engine

struct ModelOptions {
  std::string path = "bundled";     // a Hugging Face folder, a .gguf file, or "bundled"
  bool check_weights = false;       // read all weights first and refuse NaN and infinity
  bool allow_unknown_keys = false;  // run although the config has keys that Forge does not know
};

struct ModelInfo {
  std::string name = {};  // "forge-stories", the folder's or the file's name
  std::string path = {};
  std::string architecture = {};  // "llama"
  std::string dtype = {};         // of most weights: "Q8_0"
  int64_t n_parameters = 0;
  int32_t n_layers = 0;
  int32_t hidden_dim = 0;
  int32_t vocab_size = 0;
  int32_t context_len = 0;
  std::optional<int32_t> bos_id = {};
  std::optional<int32_t> eos_id = {};
  std::vector<int32_t> end_ids = {};              // after these the model says no more
  std::optional<std::string> chat_template = {};  // Jinja source
  std::vector<std::string> notes = {};            // what a person should know about the checkpoint
};

struct TokenizeOptions {
  bool add_special = true;    // BOS and such, as the tokenizer would
  bool parse_special = true;  // "<|im_end|>" in the text is the token, not its characters
};

/// Immutable: any thread may use it, several at once. Copies share the same weights, which are
/// mapped from their files.
class Model {
 public:
  [[nodiscard]] static Result<Model> load(const ModelOptions& options);

  [[nodiscard]] const ModelInfo& info() const;

  [[nodiscard]] std::vector<int32_t> tokenize(std::string_view text,
                                              const TokenizeOptions& options = {}) const;
  /// Invalid UTF-8 becomes U+FFFD. Special tokens are written out unless skip_special; ids out of
  /// range are skipped.
  [[nodiscard]] std::string detokenize(std::span<const int32_t> ids,
                                       bool skip_special = false) const;
  /// The bytes that a token adds after others; they need not be whole characters.
  [[nodiscard]] std::string token_bytes(int32_t id) const;
  [[nodiscard]] bool is_special(int32_t id) const;
  /// The token that the vocabulary spells so, special ones included.
  [[nodiscard]] std::optional<int32_t> find_token(std::string_view spelling) const;

  /// Takes over what has been loaded otherwise.
  [[nodiscard]] static Model from(engine::LoadedModel loaded);
  /// The layers below, for those who build on them.
  [[nodiscard]] const engine::LoadedModel& loaded() const;

 private:
  struct State;
  explicit Model(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

}  // namespace forge
