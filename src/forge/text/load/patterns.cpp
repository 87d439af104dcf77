#include "forge/text/load/patterns.h"

#include <array>
#include <utility>

namespace forge::text {
namespace {

// Each pattern is that of the model's own tokenizer.json; matches and what lies between become
// pieces.
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kSeedCoder =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepseek3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kFalconPunctuation = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr std::string_view kDefaultPunctuation = R"([\p{P}\$\+<=>\^~\|]+)";

constexpr size_t kMaxPatterns = 5;

struct NamedPreTokenizer {
  std::string_view name;
  std::array<std::string_view, kMaxPatterns> patterns;  // applied one after the other; empty: none
  bool ends_with_gpt2 = false;
  bool has_nfc = false;
  PreTokenizerTraits traits = {};
};

constexpr PreTokenizerTraits kWholeWordsAndBos = {.ignores_merges = true, .adds_bos = true};

constexpr NamedPreTokenizer kNamed[] = {
    {"default", {kDefaultPunctuation, kGpt2Pattern, R"(\p{N}+)", "[0-9][0-9][0-9]"}},
    {"gpt-2", {}, true},
    {"phi-2", {}, true},
    {"mpt", {}, true},
    {"olmo", {}, true},
    {"jais", {}, true},
    {"trillion", {}, true},
    {"granite-docling", {}, true},
    {"exaone4", {}, true},
    {"smollm", {R"(\p{N})"}, true},
    {"starcoder", {R"(\p{N})"}, true},
    {"refact", {R"(\p{N})"}, true},
    {"command-r", {R"(\p{N})"}, true},
    {"codeshell", {R"(\p{N})"}, true},
    {"exaone", {R"(\p{N})"}, true},
    {"minerva-7b", {R"(\p{N})"}, true},
    {"falcon", {kFalconPunctuation, kGpt2Pattern, "[0-9][0-9][0-9]"}},
    {"llama-bpe", {kLlama3}, false, false, kWholeWordsAndBos},
    {"llama3", {kLlama3}, false, false, kWholeWordsAndBos},
    {"llama-v3", {kLlama3}, false, false, kWholeWordsAndBos},
    {"falcon3", {kLlama3}, false, false, kWholeWordsAndBos},
    {"falcon-h1", {kLlama3}, false, false, kWholeWordsAndBos},
    {"pixtral", {kLlama3}, false, false, kWholeWordsAndBos},
    {"midm-2.0", {kLlama3}, false, false, kWholeWordsAndBos},
    {"lfm2", {kLlama3}, false, false, kWholeWordsAndBos},
    {"dbrx", {kLlama3}},
    {"smaug-bpe", {kLlama3}},
    {"chatglm-bpe", {kLlama3}},
    {"glm4", {kLlama3}},
    {"qwen2", {kQwen2}, false, true},
    {"deepseek-r1-qwen", {kQwen2}, false, true},
    {"megrez", {kQwen2}, false, true},
    {"qwen35", {kQwen35}, false, true},
    {"stablelm2", {kQwen2}, false, true},
    {"hunyuan", {kQwen2}},
    {"tekken", {kTekken}, false, false, kWholeWordsAndBos},
    {"gpt-4o", {kGpt4o}},
    {"llama4", {kGpt4o}},
    {"seed-coder", {kSeedCoder}},
    {"deepseek-coder",
     {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", R"([一-龥ࠀ-一가-퟿]+)", R"(\p{N})"}},
    {"deepseek-v3", {R"(\p{N}{1,3})", R"([一-龥぀-ゟ゠-ヿ]+)", kDeepseek3}},
};

}  // namespace

Result<PreTokenizerTraits> add_pre_tokenizer(std::string_view name, std::string_view origin,
                                             TokenizerParts& parts) {
  for (const NamedPreTokenizer& known : kNamed) {
    if (known.name != name) continue;
    if (known.has_nfc) parts.normalizers.push_back(make_unicode_normalizer(NormalForm::kNfc));
    for (const std::string_view pattern : known.patterns) {
      if (pattern.empty()) continue;
      FORGE_TRY(Regex regex, Regex::compile(pattern, name));
      parts.pre_tokenizers.push_back(make_split(std::move(regex), SplitBehavior::kIsolated, false));
    }
    parts.pre_tokenizers.push_back(make_byte_level({.use_regex = known.ends_with_gpt2}));
    parts.decoders.push_back(make_byte_level_decoder());
    return known.traits;
  }
  return make_error("{}: pre-tokenizer \"{}\" is not known", origin, name);
}

}  // namespace forge::text
