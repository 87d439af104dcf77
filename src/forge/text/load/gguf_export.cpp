#include "forge/text/load/gguf_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "forge/text/load/load.h"

namespace forge::text {
namespace {

// Token types of GGUF.
enum TokenType : int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

/// One name for each behaviour that add_pre_tokenizer() knows, the simplest first.
constexpr std::array<std::string_view, 15> kPreTokenizers{
    "gpt-2",   "llama-bpe", "qwen2",      "smollm",         "dbrx",
    "hunyuan", "qwen35",    "tekken",     "gpt-4o",         "falcon",
    "default", "olmo",      "seed-coder", "deepseek-coder", "deepseek-v3"};

constexpr std::array<std::string_view, 14> kProbes{
    "Hello, world! It's 2024; they'll've paid $1,234,567.89 (12.5%).",
    "  leading,  double   and trailing spaces  ",
    "tabs\tand\nlines\r\n\r\n\n  indented\n\t\tcode();\n",
    "I'M YOU'RE WE'VE don't DON'T isn\u2019t",
    "1 12 123 1234 12345 123456 3.14159 0x1F",
    "caf\u00e9 cafe\u0301 na\u00efve \u212b \uac00 \u1100\u1161",
    "\u4f60\u597d\u4e16\u754c\uff0c\u3053\u3093\u306b\u3061\u306f \uc548\ub155\ud558\uc138\uc694",
    "\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440 \u0645\u0631\u062d\u0628\u0627 "
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u0e44\u0e17\u0e22",
    "\U0001F600\U0001F468\u200D\U0001F469\u200D\U0001F467 \u2764\ufe0f \u00a0nbsp\u3000wide",
    "camelCase snake_case HTTPServer __init__ a.b.c a/b\\c <tag attr=\"x\">",
    "!!!???...---===###***~~~ ((( ))) [[ ]] {{ }}",
    "e\u0301\u0302 \u00b2\u00b3\u00bd \u2160\u2161 \u0661\u0662\u0663",
    "x",
    ""};

std::string padding(int32_t id) { return fmt::format("[PAD{}]", id); }

bool is_byte_token(std::string_view piece) {
  return piece.size() == 6 && piece.starts_with("<0x") && piece.ends_with('>');
}

struct RankedMerge {
  uint32_t rank;
  int32_t id;
  int32_t left;
  int32_t right;
};

std::vector<RankedMerge> merges_of(const MergeTable& table) {
  std::vector<RankedMerge> merges;
  merges.reserve(table.size());
  table.for_each_pair([&](int32_t left, int32_t right) {
    const Merge merge = table.find(left, right);
    merges.push_back({merge.rank, merge.id, left, right});
  });
  std::ranges::sort(merges, {},
                    [](const RankedMerge& m) { return std::tuple(m.rank, m.id, m.left, m.right); });
  return merges;
}

/// A piece's score is minus the rank at which it comes about; false where that is not one rank.
bool put_scores(const std::vector<RankedMerge>& merges, GgufVocabulary& vocabulary) {
  vocabulary.scores.assign(vocabulary.tokens.size(), 0.0f);
  std::vector<bool> is_done(vocabulary.tokens.size(), false);
  int32_t last = -1;
  for (const RankedMerge& merge : merges) {
    const auto id = static_cast<size_t>(merge.id);
    if (merge.id == last) continue;
    if (is_done[id]) return false;
    is_done[id] = true;
    last = merge.id;
    vocabulary.scores[id] = -static_cast<float>(merge.rank);
  }
  return true;
}

/// The texts that both tokenizers must agree about: those above, and the vocabulary's own tokens,
/// some at a time.
std::vector<std::string> probe_texts(const Tokenizer& tokenizer) {
  constexpr int32_t kTokens = 48;
  std::vector<std::string> texts(kProbes.begin(), kProbes.end());
  std::string text;
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (!tokenizer.is_special(id)) text += tokenizer.token_bytes(id);
    if (id % kTokens == kTokens - 1) texts.push_back(std::exchange(text, {}));
  }
  texts.push_back(std::move(text));
  return texts;
}

/// The first text about which they differ.
std::optional<std::string> first_difference(const Tokenizer& a, const Tokenizer& b,
                                            const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (a.encode(text) != b.encode(text)) return text;
  }
  return std::nullopt;
}

/// Spaces that an added token takes from the text beside it have no place in GGUF.
std::vector<std::string> notes_on(const std::vector<AddedToken>& tokens) {
  std::string names;
  for (const AddedToken& token : tokens) {
    if (token.lstrip || token.rstrip || token.single_word) {
      names += (names.empty() ? "" : ", ") + token.content;
    }
  }
  if (names.empty()) return {};
  return {"GGUF cannot say that these tokens take spaces beside them or stand alone: " + names};
}

GgufVocabulary tokens_of(const TokenizerParts& parts, int32_t n_rows) {
  GgufVocabulary vocabulary;
  vocabulary.tokens.reserve(static_cast<size_t>(n_rows));
  const Vocabulary& pieces = *parts.bpe.vocabulary;
  for (int32_t id = 0; id < n_rows; ++id) {
    const bool has = pieces.has(id);
    vocabulary.tokens.push_back(has ? std::string(pieces.piece(id)) : padding(id));
    vocabulary.token_types.push_back(has ? kNormal : kUnused);
  }
  for (const AddedToken& token : parts.added_tokens) {
    vocabulary.token_types[static_cast<size_t>(token.id)] =
        token.is_special ? kControl : kUserDefined;
  }
  if (parts.bpe.symbols == BpeSymbols::kCharacters) {
    for (int32_t id = 0; id < pieces.size(); ++id) {
      int32_t& type = vocabulary.token_types[static_cast<size_t>(id)];
      if (parts.bpe.unknown_id == id) type = kUnknown;
      if (type == kNormal && is_byte_token(pieces.piece(id))) type = kByte;
    }
    vocabulary.unknown_id = parts.bpe.unknown_id;
  }
  vocabulary.bos_id = parts.bos_id;
  vocabulary.eos_id = parts.eos_id;
  // What stands around a text; that it is no more than this, the comparison shows.
  vocabulary.add_bos = !parts.prefix_ids.empty();
  vocabulary.add_eos = !parts.suffix_ids.empty();
  if (!vocabulary.bos_id && parts.prefix_ids.size() == 1) vocabulary.bos_id = parts.prefix_ids[0];
  vocabulary.chat_template = parts.chat_template;
  return vocabulary;
}

}  // namespace

Result<GgufExport> export_gguf_vocabulary(const std::string& folder, int32_t n_rows) {
  FORGE_TRY(const TokenizerParts parts, load_tokenizer_folder(folder));
  const Vocabulary& pieces = *parts.bpe.vocabulary;
  if (pieces.size() > n_rows) {
    return make_error("{}: the tokenizer has {} tokens, the model only {} embeddings", folder,
                      pieces.size(), n_rows);
  }
  GgufVocabulary base = tokens_of(parts, n_rows);
  const std::vector<RankedMerge> merges = merges_of(parts.bpe.merges);
  const bool is_piece_model = parts.bpe.symbols == BpeSymbols::kCharacters;
  if (is_piece_model) {
    base.model = "llama";
    base.pre = "default";
    if (!put_scores(merges, base)) {
      return make_error(
          "{}: the tokenizer's merges follow no order of pieces, which is all that GGUF can say of "
          "a tokenizer over characters",
          folder);
    }
  } else {
    base.model = "gpt2";
    for (const RankedMerge& merge : merges) {
      base.merges.push_back(
          fmt::format("{} {}", pieces.piece(merge.left), pieces.piece(merge.right)));
    }
  }
  FORGE_TRY(const Tokenizer original, Tokenizer::load_folder(folder));
  const std::vector<std::string> texts = probe_texts(original);
  std::string differing;
  const size_t n_candidates = is_piece_model ? 2 : kPreTokenizers.size();
  for (size_t i = 0; i < n_candidates; ++i) {
    if (is_piece_model) {
      base.add_space_prefix = i == 0;
    } else {
      base.pre = kPreTokenizers[i];
    }
    FORGE_TRY(const Tokenizer tried, Tokenizer::from_gguf(base, folder));
    const auto difference = first_difference(original, tried, texts);
    if (!difference) return GgufExport{std::move(base), notes_on(parts.added_tokens)};
    if (differing.empty()) differing = *difference;
  }
  return make_error(
      "{}: GGUF has no name for a tokenizer that cuts texts as this one does (for one, \"{}\")",
      folder, differing.substr(0, 60));
}

}  // namespace forge::text
