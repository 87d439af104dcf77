#include "forge/cli/chat/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <sstream>
#include <utility>

#include "forge/base/json.h"
#include "forge/cli/command_line.h"
#include "forge/cli/sampling_options.h"

namespace forge::cli::chat {
namespace {

struct Setting {
  std::string_view name;
  std::string_view help;
  std::string (*show)(const Settings& s);
  Status (*set)(Settings& s, std::string_view value);
  void (*copy)(Settings& to, const Settings& from);
};

template <typename T>
Result<T> parse_number(std::string_view text, std::string_view expected) {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [read_to, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc() || read_to != end) {
    return make_error("{}: expected {}", text, expected);
  }
  return number;
}

template <auto Field>
constexpr Setting sampling_setting(std::string_view name, std::string_view help) {
  using T = std::remove_cvref_t<decltype(std::declval<SamplingParams>().*Field)>;
  return {name, help, [](const Settings& s) { return fmt::format("{}", s.sampling.*Field); },
          [](Settings& s, std::string_view value) -> Status {
            FORGE_TRY(s.sampling.*Field, parse_number<T>(value, "a number"));
            return {};
          },
          [](Settings& to, const Settings& from) { to.sampling.*Field = from.sampling.*Field; }};
}

Status set_max_tokens(Settings& s, std::string_view value) {
  if (value == "off") {
    s.max_tokens.reset();
    return {};
  }
  constexpr std::string_view kExpected = "a number from 1 on, or off";
  FORGE_TRY(const int32_t n, parse_number<int32_t>(value, kExpected));
  if (n < 1) return make_error("{}: expected {}", value, kExpected);
  s.max_tokens = n;
  return {};
}

Status set_seed(Settings& s, std::string_view value) {
  if (value == "random") {
    s.seed.reset();
    return {};
  }
  FORGE_TRY(s.seed, parse_number<uint64_t>(value, "a number from 0 to 2^64 - 1, or random"));
  return {};
}

std::string in_quotes(std::string_view text) {
  json::Writer writer;
  writer.value(text);
  return writer.text();
}

std::string show_stop(const Settings& s) {
  if (s.stop.empty()) return "off";
  std::string text;
  for (const std::string& stop : s.stop) text += (text.empty() ? "" : " ") + in_quotes(stop);
  return text;
}

/// Words, or JSON strings in quotes, with blanks between them.
Status set_stop(Settings& s, std::string_view value) {
  s.stop.clear();
  if (value == "off") return {};
  while (true) {
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    if (value.empty()) return {};
    size_t end = std::min(value.find(' '), value.size());
    std::string word(value.substr(0, end));
    if (value.starts_with('"')) {
      for (end = 1; end < value.size() && value[end] != '"'; ++end) end += value[end] == '\\';
      if (end >= value.size()) return make_error("{}: a quote is not closed", value);
      ++end;
      FORGE_TRY(const json::Document document, json::Document::parse(value.substr(0, end), ""));
      word = document.root().as_string().value_or("");
    }
    if (word.empty()) return make_error("\"\": expected at least one character");
    s.stop.push_back(std::move(word));
    value.remove_prefix(end);
  }
}

std::string show_logit_bias(const Settings& s) {
  if (s.sampling.logit_bias.empty()) return "off";
  std::string text;
  for (const LogitBias& entry : s.sampling.logit_bias) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", entry.id, entry.bias);
  }
  return text;
}

Status set_logit_bias(Settings& s, std::string_view value) {
  s.sampling.logit_bias.clear();
  if (value == "off") return {};
  std::istringstream words{std::string(value)};
  for (std::string word; words >> word;) {
    FORGE_TRY(const LogitBias entry, parse_logit_bias(word));
    s.sampling.logit_bias.push_back(entry);
  }
  return {};
}

template <typename T>
struct Word {
  std::string_view text;
  T value;
};

constexpr std::array<Word<Thoughts>, 3> kThoughts = {
    {{"auto", Thoughts::kAuto}, {"show", Thoughts::kShow}, {"hide", Thoughts::kHide}}};
constexpr std::array<Word<std::optional<bool>>, 3> kThink = {
    {{"auto", std::nullopt}, {"on", true}, {"off", false}}};
constexpr std::array<Word<bool>, 2> kOnOff = {{{"on", true}, {"off", false}}};

template <const auto& Words, auto Field>
constexpr Setting word_setting(std::string_view name, std::string_view help) {
  return {name, help,
          [](const Settings& s) {
            for (const auto& word : Words) {
              if (word.value == s.*Field) return std::string(word.text);
            }
            return std::string();
          },
          [](Settings& s, std::string_view value) -> Status {
            std::string expected;
            for (const auto& word : Words) {
              if (word.text == value) {
                s.*Field = word.value;
                return {};
              }
              expected += (expected.empty() ? "" : ", ") + std::string(word.text);
            }
            return make_error("{}: expected one of {}", value, expected);
          },
          [](Settings& to, const Settings& from) { to.*Field = from.*Field; }};
}

const std::array kSettings = {
    sampling_setting<&SamplingParams::temperature>("temperature",
                                                   "0: always the most probable token"),
    sampling_setting<&SamplingParams::top_k>("top_k", "only the K most probable tokens; 0: off"),
    sampling_setting<&SamplingParams::top_p>(
        "top_p", "only the most probable ones up to this probability; 1: off"),
    sampling_setting<&SamplingParams::min_p>(
        "min_p", "only tokens this probable relative to the best; 0: off"),
    sampling_setting<&SamplingParams::typical_p>("typical_p", "only the most typical ones; 1: off"),
    sampling_setting<&SamplingParams::repetition_penalty>("repetition_penalty",
                                                          "against all that was said; 1: off"),
    sampling_setting<&SamplingParams::presence_penalty>("presence_penalty",
                                                        "against what the answer has; 0: off"),
    sampling_setting<&SamplingParams::frequency_penalty>("frequency_penalty",
                                                         "the same for each time; 0: off"),
    Setting{"logit_bias", "adds V to the logit of token ID: ID=V ID=V", show_logit_bias,
            set_logit_bias,
            [](Settings& to, const Settings& from) {
              to.sampling.logit_bias = from.sampling.logit_bias;
            }},
    Setting{"max_tokens", "most tokens of an answer",
            [](const Settings& s) {
              return s.max_tokens ? fmt::format("{}", *s.max_tokens) : std::string("off");
            },
            set_max_tokens,
            [](Settings& to, const Settings& from) { to.max_tokens = from.max_tokens; }},
    Setting{"seed", "the same seed gives the same answers",
            [](const Settings& s) {
              return s.seed ? fmt::format("{}", *s.seed) : std::string("random");
            },
            set_seed, [](Settings& to, const Settings& from) { to.seed = from.seed; }},
    Setting{"stop", "texts before which an answer ends: word \"two words\"", show_stop, set_stop,
            [](Settings& to, const Settings& from) { to.stop = from.stop; }},
    word_setting<kThink, &Settings::think>("think", "ask the model to think, or not to"),
    word_setting<kThoughts, &Settings::thoughts>("thoughts", "auto: on a terminal only"),
    word_setting<kOnOff, &Settings::wrap>("wrap", "break lines between words, on a terminal"),
    word_setting<kOnOff, &Settings::verbose>("verbose", "numbers after each answer"),
};

/// What other programs call them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kAliases = {
    {{"temp", "temperature"},
     {"wordwrap", "wrap"},
     {"repeat_penalty", "repetition_penalty"},
     {"repetition", "repetition_penalty"},
     {"num_predict", "max_tokens"},
     {"n_predict", "max_tokens"}}};

const Setting& get(std::string_view name) {
  const auto* found = std::find_if(kSettings.begin(), kSettings.end(),
                                   [&](const Setting& setting) { return setting.name == name; });
  FORGE_CHECK(found != kSettings.end(), "no setting {}", name);
  return *found;
}

}  // namespace

std::vector<std::string> setting_names() {
  std::vector<std::string> names;
  for (const Setting& setting : kSettings) names.emplace_back(setting.name);
  return names;
}

std::string setting_text(const Settings& settings, std::string_view name) {
  return get(name).show(settings);
}

std::string_view setting_help(std::string_view name) { return get(name).help; }

Result<std::string> find_setting(std::string_view name) {
  std::string meant(name);
  std::replace(meant.begin(), meant.end(), '-', '_');
  for (const auto& [alias, known] : kAliases) {
    if (meant == alias) meant = known;
  }
  const std::vector<std::string> names = setting_names();
  if (std::find(names.begin(), names.end(), meant) != names.end()) return meant;
  const std::string nearest = nearest_name(meant, names);
  if (!nearest.empty()) return make_error("no setting {}: did you mean {}?", name, nearest);
  return make_error("no setting {}: expected one of {}", name, fmt::join(names, ", "));
}

Status set_setting(Settings& settings, std::string_view name, std::string_view value,
                   const Settings& defaults) {
  const Setting& setting = get(name);
  Settings changed = settings;
  if (value == "default") {
    setting.copy(changed, defaults);
  } else if (const Status status = setting.set(changed, value); !status.ok()) {
    return make_error("{} {}", name, status.error().message);
  }
  SamplingParams without_ids = changed.sampling;
  without_ids.logit_bias.clear();  // checked with the model's vocabulary
  FORGE_TRY_STATUS(validate(without_ids, 0));
  settings = std::move(changed);
  return {};
}

}  // namespace forge::cli::chat
