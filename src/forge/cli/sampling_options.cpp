#include "forge/cli/sampling_options.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "forge/cli/flag_values.h"

namespace forge::cli {
Result<LogitBias> parse_logit_bias(const std::string& text) {
  const Error wrong = make_error("{}: expected ID=V, as in 42=-1.5", text);
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) return wrong;
  char* end = nullptr;
  errno = 0;
  const int64_t id = std::strtoll(text.c_str(), &end, 10);
  if (end != text.c_str() + equals || errno != 0) return wrong;
  if (id < 0 || id > std::numeric_limits<int32_t>::max()) return wrong;
  const float bias = std::strtof(text.c_str() + equals + 1, &end);
  if (*end != '\0' || std::isnan(bias)) return wrong;
  return LogitBias{static_cast<int32_t>(id), bias};
}

void add_sampling_options(CLI::App& app, SamplingOptions& options, const std::string& seed_text) {
  const std::string group = "Choice of tokens";
  SamplingParams& s = options.params;
  const auto number = [&](const std::string& name, auto& value, const std::string& text) {
    app.add_option(name, value, text)->type_name("X")->group(group);
  };
  number("--temperature", s.temperature, "0: always the most probable token");
  number("--top-k", s.top_k, "Only the K most probable tokens; 0: off");
  number("--top-p", s.top_p, "Only the most probable tokens that make up this probability; 1: off");
  number("--min-p", s.min_p, "Only tokens this probable relative to the most probable one; 0: off");
  number("--typical-p", s.typical_p,
         "Only the most typical tokens that make up this probability; 1: off");
  number("--repetition-penalty", s.repetition_penalty,
         "Divides the logits of tokens in prompt and text; 1: off");
  number("--presence-penalty", s.presence_penalty, "Lowers tokens that are in the text; 0: off");
  number("--frequency-penalty", s.frequency_penalty,
         "Lowers tokens for each time they are in the text; 0: off");
  several(app.add_option("--logit-bias", options.logit_bias,
                         "Adds V to the logit of token ID (may be given several times)")
              ->type_name("ID=V")
              ->group(group));
  add_seed_option(
      app, [&options](uint64_t seed) { options.seed = seed; }, seed_text)
      ->group(group);
}

Status complete(SamplingOptions& options) {
  options.params.logit_bias.clear();
  for (const std::string& text : options.logit_bias) {
    const Result<LogitBias> bias = parse_logit_bias(text);
    if (!bias.ok()) return make_error("--logit-bias {}", bias.error().message);
    options.params.logit_bias.push_back(*bias);
  }
  SamplingParams without_ids = options.params;
  without_ids.logit_bias.clear();
  return validate(without_ids, 0);
}

}  // namespace forge::cli
