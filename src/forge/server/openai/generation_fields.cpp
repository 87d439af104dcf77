#include "forge/server/openai/generation_fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "forge/server/openai/prompt_input.h"

namespace forge::server::openai {
namespace {

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kInt32Min = std::numeric_limits<int32_t>::min();
constexpr double kMaxTimeoutSeconds = 86400.0;
constexpr size_t kMaxSaltBytes = 256;

constexpr std::string_view kNotSupported = "not supported";
constexpr RefusedField kUnsupported[] = {
    {"allowed_token_ids", kNotSupported},
    {"bad_words", kNotSupported},
    {"grammar", kNotSupported},
    {"guided_choice", kNotSupported},
    {"guided_grammar", kNotSupported},
    {"guided_json", kNotSupported},
    {"guided_regex", kNotSupported},
    {"include_stop_str_in_output", kNotSupported},
    {"length_penalty", kNotSupported},
    {"logits_processors", kNotSupported},
    {"prompt_logprobs", "not supported; completions with \"echo\" and \"logprobs\" give them"},
    {"structured_outputs", kNotSupported},
    {"truncate_prompt_tokens", kNotSupported},
    {"use_beam_search", kNotSupported},
};

void read_sampling(Fields& fields, SamplingParams& sampling) {
  sampling.temperature = fields.number("temperature", {0.0, 2.0}).value_or(1.0);
  sampling.top_p = fields.number("top_p", {0.0, 1.0}).value_or(1.0);
  sampling.min_p = fields.number("min_p", {0.0, 1.0}).value_or(0.0);
  sampling.typical_p = fields.number("typical_p", {0.0, 1.0, LowEnd::kExcluded}).value_or(1.0);
  sampling.presence_penalty = fields.number("presence_penalty", {-2.0, 2.0}).value_or(0.0);
  sampling.frequency_penalty = fields.number("frequency_penalty", {-2.0, 2.0}).value_or(0.0);
  NumberRange above_zero;
  above_zero.low_end = LowEnd::kExcluded;
  sampling.repetition_penalty = fields.number("repetition_penalty", above_zero).value_or(1.0);
  // vLLM's -1 is off, like 0.
  const int64_t top_k = fields.integer("top_k", -1, kInt32Max).value_or(0);
  sampling.top_k = static_cast<int32_t>(std::max<int64_t>(top_k, 0));
}

void read_logit_bias(Fields& fields, const ServedModel& served, SamplingParams& sampling) {
  constexpr std::string_view kName = "logit_bias";
  const json::Value biases = fields.object(kName);
  const auto max_size = static_cast<size_t>(served.limits.max_logit_bias);
  if (biases.size() > max_size) {
    fields.fail(kName, fmt::format("{} tokens, at most {} expected", biases.size(), max_size));
    return;
  }
  const int32_t last_id = served.tokens.vocab_size() - 1;
  for (size_t i = 0; i < biases.size(); ++i) {
    const std::string_view key = biases.key_at(i);
    LogitBias entry;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), entry.id);
    if (error != std::errc() || end != key.data() + key.size() || entry.id < 0 ||
        entry.id > last_id) {
      fields.fail(kName, fmt::format("\"{}\" is no token id, expected one from 0 to {}",
                                     key.substr(0, 32), last_id));
      return;
    }
    const std::optional<double> bias = biases.member_at(i).as_double();
    if (!bias || std::abs(*bias) > 100.0) {
      fields.fail(kName, fmt::format("token {}: expected a number from -100 to 100, got {}",
                                     entry.id, shown(biases.member_at(i))));
      return;
    }
    const auto is_same = [&](const LogitBias& other) { return other.id == entry.id; };
    if (std::any_of(sampling.logit_bias.begin(), sampling.logit_bias.end(), is_same)) {
      fields.fail(kName, fmt::format("token {} is given twice", entry.id));
      return;
    }
    entry.bias = static_cast<float>(*bias);
    sampling.logit_bias.push_back(entry);
  }
}

void read_stop_strings(Fields& fields, const ApiLimits& limits, std::vector<std::string>& stops) {
  constexpr std::string_view kName = "stop";
  const json::Value stop = fields.any(kName);
  if (stop.is_missing()) return;
  std::vector<json::Value> values;
  if (stop.is_string()) {
    values.push_back(stop);
  } else if (!stop.is_array()) {
    fields.fail(kName,
                fmt::format("expected a string or an array of strings, got {}", shown(stop)));
  } else if (stop.size() > static_cast<size_t>(limits.max_stop_strings)) {
    fields.fail(kName, fmt::format("{} strings, at most {} expected", stop.size(),
                                   limits.max_stop_strings));
  } else {
    for (size_t i = 0; i < stop.size(); ++i) values.push_back(stop.at(i));
  }
  for (const json::Value& value : values) {
    const std::optional<std::string_view> text = value.as_string();
    if (!text || text->empty() || text->size() > limits.max_stop_bytes) {
      fields.fail(kName, fmt::format("expected strings of 1 to {} bytes, got {}",
                                     limits.max_stop_bytes, shown(value)));
      return;
    }
    stops.emplace_back(*text);
  }
}

void read_stop_ids(Fields& fields, const ServedModel& served, std::vector<int32_t>& ids) {
  constexpr std::string_view kName = "stop_token_ids";
  const json::Value list = fields.array(kName);
  if (list.size() > static_cast<size_t>(served.limits.max_stop_ids)) {
    fields.fail(
        kName, fmt::format("{} ids, at most {} expected", list.size(), served.limits.max_stop_ids));
    return;
  }
  ids = read_ids(list, kName, served, fields.error());
}

std::optional<std::chrono::milliseconds> read_timeout(Fields& fields) {
  const auto seconds = fields.number("timeout", {0.0, kMaxTimeoutSeconds, LowEnd::kExcluded});
  if (!seconds) return std::nullopt;
  return std::chrono::milliseconds(static_cast<int64_t>(std::ceil(*seconds * 1000.0)));
}

}  // namespace

void read_model(Fields& fields, const ServedModel& served) {
  const json::Value model = fields.any("model");
  if (model.is_missing()) return;
  const std::optional<std::string_view> name = model.as_string();
  if (!name) {
    fields.fail("model", fmt::format("expected a string, got {}", shown(model)));
    return;
  }
  const auto& names = served.names;
  if (std::find(names.begin(), names.end(), *name) != names.end() || fields.has_failed()) return;
  fields.error() = model_not_found(name->substr(0, 128));
}

Request read_generation(Fields& fields, const ServedModel& served, const CallInfo& call) {
  Request request;
  read_sampling(fields, request.sampling);
  read_logit_bias(fields, served, request.sampling);
  constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();
  constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
  const std::optional<int64_t> seed = fields.integer("seed", kInt64Min, kInt64Max);
  request.sampling.seed = seed ? static_cast<uint64_t>(*seed) : call.fresh_seed;

  read_stop_strings(fields, served.limits, request.stop_strings);
  read_stop_ids(fields, served, request.stop_ids);
  request.min_tokens = static_cast<int32_t>(fields.integer("min_tokens", 0, kInt32Max).value_or(0));
  request.ignore_eos = fields.flag("ignore_eos").value_or(false);
  request.skip_special = fields.flag("skip_special_tokens").value_or(true);

  request.priority =
      static_cast<int32_t>(fields.integer("priority", kInt32Min, kInt32Max).value_or(0));
  request.client = call.client;
  request.cache_salt = fields.text("cache_salt", kMaxSaltBytes).value_or("");
  request.timeout = read_timeout(fields);
  return request;
}

void check_min_tokens(Fields& fields, const Request& request) {
  if (!request.max_tokens || request.min_tokens <= *request.max_tokens) return;
  fields.fail("min_tokens", fmt::format("{} is more than the {} tokens that may be generated",
                                        request.min_tokens, *request.max_tokens));
}

Delivery read_delivery(Fields& fields, std::vector<std::string>* ignored) {
  Delivery delivery;
  delivery.stream = fields.flag("stream").value_or(false);
  const json::Value options = fields.object("stream_options");
  if (options.is_missing()) return delivery;
  if (!delivery.stream) fields.fail("stream_options", "only allowed with \"stream\": true");
  Fields inner(options, "stream_options", fields.error());
  delivery.include_usage = inner.flag("include_usage").value_or(false);
  // Random padding against guessing tokens from the sizes of packets: never sent.
  constexpr std::string_view kWithoutEffect[] = {"include_obfuscation"};
  inner.accept(kWithoutEffect);
  inner.finish(ignored);
  return delivery;
}

void refuse_unsupported(Fields& fields) { fields.refuse(kUnsupported); }

}  // namespace forge::server::openai
