// Tokens that are looked for in the text as they are, before the model sees it: "<|im_end|>" and
// friends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/function_ref.h"
#include "forge/text/pipeline/normalizer.h"

namespace forge::text {

/// As tokenizer.json's added_tokens describes them.
struct AddedToken {
  std::string content;
  int32_t id = -1;
  bool single_word = false;    // only where no word character touches it
  bool lstrip = false;         // takes the white space before it
  bool rstrip = false;         // takes the white space after it
  bool is_normalized = false;  // looked for in the normalized text, itself normalized
  bool is_special = false;     // decode() may skip it; encode() may be told not to see it
};

/// Finds any of a set of strings in a text: of all that start leftmost the longest, not
/// overlapping. Source: Aho & Corasick 1975; here a trie tried from each position whose byte starts
/// any string, which is enough for strings this short.
class TokenFinder {
 public:
  TokenFinder() = default;
  /// strings[i] is what token i looks like; empty ones are never found, of equal ones the first is.
  explicit TokenFinder(const std::vector<std::string>& strings);

  /// The first match at or after offset. Returns false where there is none.
  struct Match {
    size_t begin = 0;
    size_t end = 0;
    size_t index = 0;
  };
  [[nodiscard]] bool find(std::string_view text, size_t offset, Match& match) const;

 private:
  struct Node {
    int32_t first_child = -1;
    int32_t next_sibling = -1;
    int32_t token = -1;
    unsigned char byte = 0;
  };
  [[nodiscard]] int32_t child_of(int32_t node, unsigned char byte) const;

  std::vector<Node> nodes_;
  int32_t root_children_[256] = {};
  std::vector<unsigned char> first_bytes_;  // for a quick scan when there is only one
  bool is_empty_ = true;
};

/// Immutable; any thread may split with it.
class AddedTokens {
 public:
  AddedTokens() = default;
  /// Tokens that are looked for, first those of equal content first. The chain normalizes the
  /// contents of normalized ones, and each segment in split().
  AddedTokens(std::vector<AddedToken> tokens, const NormalizerChain& normalizers);

  /// Cuts a text (valid UTF-8) into found tokens and normalized segments between them, in order.
  /// parse_special = false passes over special tokens, whose text then belongs to the segments.
  void split(std::string_view text, bool parse_special, const NormalizerChain& normalizers,
             FunctionRef<void(const Segment&)> on_text, FunctionRef<void(int32_t)> on_token) const;

 private:
  struct Part {
    size_t begin = 0;
    size_t end = 0;
    const AddedToken* token = nullptr;  // null: text between tokens
  };
  using PartSink = FunctionRef<void(const Part&)>;
  void for_each_part(std::string_view text, bool parse_special, const TokenFinder& finder,
                     const std::vector<AddedToken>& tokens, PartSink sink) const;

  std::vector<AddedToken> raw_;  // looked for in the text as given
  std::vector<AddedToken> normalized_;
  TokenFinder raw_finder_;
  TokenFinder normalized_finder_;
};

}  // namespace forge::text
