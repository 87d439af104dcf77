// Reads the tokenizer metadata of a GGUF file for the tests of text/, which does not see formats/.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "forge/text/tokenizer.h"

namespace forge::text {

/// For well-formed files of the test data only: it checks nothing.
class GgufVocabularyReader {
 public:
  explicit GgufVocabularyReader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] GgufVocabulary read() {
    skip(4 + 4 + 8);  // magic, version, tensor count
    for (auto left = take<uint64_t>(); left > 0; --left) {
      const std::string key = take_string();
      const auto type = take<uint32_t>();
      read_value(key, type);
    }
    return std::move(vocabulary_);
  }

 private:
  static constexpr uint32_t kBool = 7;
  static constexpr uint32_t kString = 8;
  static constexpr uint32_t kArray = 9;

  template <typename T>
  T take() {
    T value;
    std::memcpy(&value, bytes_.data() + offset_, sizeof(T));
    offset_ += sizeof(T);
    return value;
  }
  std::string take_string() {
    const auto size = take<uint64_t>();
    const std::string text(bytes_.substr(offset_, size));
    offset_ += size;
    return text;
  }
  void skip(size_t n_bytes) { offset_ += n_bytes; }

  static size_t width(uint32_t type) {
    constexpr size_t kWidths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return kWidths[type];
  }

  void read_value(const std::string& key, uint32_t type) {
    if (type == kArray) return read_array(key);
    if (type == kString) {
      const std::string text = take_string();
      if (key == "tokenizer.ggml.model") vocabulary_.model = text;
      if (key == "tokenizer.ggml.pre") vocabulary_.pre = text;
      if (key == "tokenizer.chat_template") vocabulary_.chat_template = text;
      return;
    }
    const size_t start = offset_;
    if (width(type) == 4) {
      const auto id = take<int32_t>();
      if (key == "tokenizer.ggml.bos_token_id") vocabulary_.bos_id = id;
      if (key == "tokenizer.ggml.eos_token_id") vocabulary_.eos_id = id;
      if (key == "tokenizer.ggml.unknown_token_id") vocabulary_.unknown_id = id;
    } else if (type == kBool) {
      const bool flag = take<uint8_t>() != 0;
      if (key == "tokenizer.ggml.add_bos_token") vocabulary_.add_bos = flag;
      if (key == "tokenizer.ggml.add_eos_token") vocabulary_.add_eos = flag;
      if (key == "tokenizer.ggml.add_space_prefix") vocabulary_.add_space_prefix = flag;
    }
    offset_ = start + width(type);
  }

  void read_array(const std::string& key) {
    const auto type = take<uint32_t>();
    const auto count = take<uint64_t>();
    for (uint64_t i = 0; i < count; ++i) {
      if (type == kString) {
        std::string text = take_string();
        if (key == "tokenizer.ggml.tokens")
          vocabulary_.tokens.push_back(std::move(text));
        else if (key == "tokenizer.ggml.merges")
          vocabulary_.merges.push_back(std::move(text));
      } else if (key == "tokenizer.ggml.scores") {
        vocabulary_.scores.push_back(take<float>());
      } else if (key == "tokenizer.ggml.token_type") {
        vocabulary_.token_types.push_back(take<int32_t>());
      } else {
        skip(width(type));
      }
    }
  }

  std::string_view bytes_;
  size_t offset_ = 0;
  GgufVocabulary vocabulary_;
};

}  // namespace forge::text
