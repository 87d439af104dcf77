// What the API needs of a tokenizer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forge {
class Model;
}

namespace forge::server::openai {

/// Text to ids and back. Any thread may call any method.
class Tokens {
 public:
  Tokens() = default;
  Tokens(const Tokens&) = delete;
  Tokens& operator=(const Tokens&) = delete;
  virtual ~Tokens() = default;

  /// Spellings of special tokens in the text become these tokens. add_special: BOS and such, as the
  /// tokenizer would.
  [[nodiscard]] virtual std::vector<int32_t> encode(std::string_view text,
                                                    bool add_special) const = 0;
  /// Special tokens are written out.
  [[nodiscard]] virtual std::string decode(std::span<const int32_t> ids) const = 0;
  /// The bytes of one token, which need not be whole characters.
  [[nodiscard]] virtual std::string token_bytes(int32_t id) const = 0;
  [[nodiscard]] virtual bool is_special(int32_t id) const = 0;
  /// The token that is spelt so in the vocabulary.
  [[nodiscard]] virtual std::optional<int32_t> find_token(std::string_view spelling) const = 0;
  [[nodiscard]] virtual int32_t vocab_size() const = 0;
};

/// Those of a model, which must outlive this.
class ModelTokens final : public Tokens {
 public:
  explicit ModelTokens(const Model& model) : model_(model) {}
  [[nodiscard]] std::vector<int32_t> encode(std::string_view text, bool add_special) const override;
  [[nodiscard]] std::string decode(std::span<const int32_t> ids) const override;
  [[nodiscard]] std::string token_bytes(int32_t id) const override;
  [[nodiscard]] bool is_special(int32_t id) const override;
  [[nodiscard]] std::optional<int32_t> find_token(std::string_view spelling) const override;
  [[nodiscard]] int32_t vocab_size() const override;

 private:
  const Model& model_;
};

}  // namespace forge::server::openai
