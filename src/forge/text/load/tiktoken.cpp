#include "forge/text/load/tiktoken.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "forge/text/bpe/byte_alphabet.h"
#include "forge/text/bpe/score_merges.h"
#include "forge/text/load/bpe_parts.h"
#include "forge/text/load/patterns.h"

namespace forge::text {
namespace {

constexpr int32_t kLlama3Ranks = 128000;

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

// RFC 4648, with padding; nothing for an empty or malformed text.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  uint32_t bits = 0;
  int n_bits = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    n_bits += 6;
    if (n_bits < 8) continue;
    n_bits -= 8;
    out.push_back(static_cast<char>((bits >> n_bits) & 0xFF));
  }
  return out;
}

struct RankLine {
  std::string bytes;
  int32_t rank = 0;
};

std::optional<RankLine> parse_line(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::optional<std::string> bytes = decode_base64(line.substr(0, space));
  const std::string_view digits = line.substr(space + 1);
  RankLine result;
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), result.rank);
  if (!bytes || code != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  result.bytes = std::move(*bytes);
  return result;
}

std::string_view take_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The 256 special tokens behind the ranks, as Hugging Face's Llama 3.1 names them.
std::vector<std::string> llama3_special_tokens() {
  std::vector<std::string> names = {"<|begin_of_text|>", "<|end_of_text|>"};
  int reserved = 0;
  const auto reserve = [&](int count) {
    for (int i = 0; i < count; ++i) {
      names.push_back(fmt::format("<|reserved_special_token_{}|>", reserved++));
    }
  };
  reserve(2);
  names.emplace_back("<|finetune_right_pad_id|>");
  reserve(1);
  for (const char* name :
       {"<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"}) {
    names.emplace_back(name);
  }
  reserve(256 - static_cast<int>(names.size()));
  return names;
}

}  // namespace

bool looks_like_tiktoken(std::string_view bytes) {
  std::string_view rest = bytes.substr(0, 4096);
  return parse_line(take_line(rest)).has_value();
}

Result<TokenizerParts> load_llama3_ranks(std::string_view bytes, std::string_view origin) {
  auto vocabulary = std::make_shared<Vocabulary>();
  vocabulary->reserve(kLlama3Ranks + 256, size_t{10} * kLlama3Ranks);
  std::string_view rest = bytes;
  for (int line_number = 1; !rest.empty(); ++line_number) {
    const auto line = parse_line(take_line(rest));
    if (!line) {
      return make_error("{}: line {}: expected \"base64 rank\"", origin, line_number);
    }
    FORGE_TRY_STATUS(add_piece(*vocabulary, line->rank, to_byte_alphabet(line->bytes),
                               fmt::format("{}: line {}", origin, line_number)));
  }
  if (vocabulary->count() != kLlama3Ranks || vocabulary->size() != kLlama3Ranks) {
    return make_error("{}: {} ranks up to {}, expected Llama 3's {}", origin, vocabulary->count(),
                      vocabulary->size() - 1, kLlama3Ranks);
  }
  TokenizerParts parts;
  for (const std::string& name : llama3_special_tokens()) {
    AddedToken token{.content = name, .id = vocabulary->size(), .is_special = true};
    FORGE_TRY_STATUS(add_piece(*vocabulary, token.id, token.content, origin));
    parts.added_tokens.push_back(std::move(token));
  }
  // Any two neighbours whose bytes together are in the list merge, lowest rank first.
  std::vector<float> scores;
  std::vector<bool> is_mergeable;
  for (int32_t id = 0; id < vocabulary->size(); ++id) {
    scores.push_back(-static_cast<float>(id));
    is_mergeable.push_back(id < kLlama3Ranks);
  }
  ScoreMerges merges = merges_from_scores(*vocabulary, scores, is_mergeable);
  parts.bpe.vocabulary = vocabulary;
  parts.bpe.is_model_token = std::move(is_mergeable);
  parts.bpe.merges = std::move(merges.merges);
  parts.bpe.extra_symbols = std::move(merges.extra_symbols);
  parts.bpe.symbols = BpeSymbols::kBytes;
  parts.bpe.ignore_merges = true;
  FORGE_TRY_STATUS(add_pre_tokenizer("llama-bpe", origin, parts));
  parts.bos_id = kLlama3Ranks;
  parts.eos_id = kLlama3Ranks + 1;
  parts.description = "byte-level BPE, llama-bpe pre-tokenizer";
  return parts;
}

}  // namespace forge::text
