#include "forge/server/openai/completion_request.h"

#include "forge/server/openai/completion_answer.h"
#include "forge/server/openai/prompt_input.h"

namespace forge::server::openai {
namespace {

constexpr int32_t kDefaultMaxTokens = 16;  // OpenAI's
constexpr int32_t kMaxLogprobs = 5;        // OpenAI's

// Odd, and far from the small differences of seeds that people choose: 2^64 over the golden ratio.
constexpr uint64_t kSeedStride = 0x9E3779B97F4A7C15;

constexpr RefusedField kRefused[] = {
    {"suffix", "not supported: no text is put between a prompt and a suffix"},
    {"response_format", "not supported: the form of a text cannot be constrained yet"},
};
constexpr std::string_view kWithoutEffect[] = {"user"};

// What completions have besides prompt and shared fields.
struct Options {
  int32_t n = 1;
  int32_t best_of = 1;
  bool echo = false;
  bool add_special = true;
  Delivery delivery;
};

Options read_options(Fields& fields, const ApiLimits& limits, std::vector<std::string>* ignored) {
  Options options;
  options.n = static_cast<int32_t>(fields.integer("n", 1, limits.max_n).value_or(1));
  options.best_of =
      static_cast<int32_t>(fields.integer("best_of", 1, limits.max_n).value_or(options.n));
  options.echo = fields.flag("echo").value_or(false);
  options.add_special = fields.flag("add_special_tokens").value_or(true);
  options.delivery = read_delivery(fields, ignored);
  if (options.best_of < options.n) {
    fields.fail("best_of", fmt::format("{} is less than n, {}", options.best_of, options.n));
  }
  if (options.delivery.stream && options.best_of > options.n) {
    fields.fail("best_of", "more than n cannot be streamed: the best are known at the end");
  }
  return options;
}

Request read_request(Fields& fields, const Options& options, const ServedModel& served,
                     const CallInfo& call) {
  Request request = read_generation(fields, served, call);
  request.n = options.best_of;
  request.max_tokens =
      static_cast<int32_t>(fields.integer("max_tokens", 0, std::numeric_limits<int32_t>::max())
                               .value_or(kDefaultMaxTokens));
  check_min_tokens(fields, request);
  if (const auto n_logprobs = fields.integer("logprobs", 0, kMaxLogprobs)) {
    request.n_logprobs = static_cast<int32_t>(*n_logprobs);
    request.prompt_logprobs = options.echo;
  }
  return request;
}

}  // namespace

Parsed<Call> parse_completion(const json::Value& body, const ServedModel& served,
                              const CallInfo& call) {
  std::optional<ApiError> error;
  Fields fields(body, "", error);
  Call parsed;
  std::vector<std::string>* ignored = served.is_lenient ? &parsed.ignored_fields : nullptr;

  read_model(fields, served);
  const Options options = read_options(fields, served.limits, ignored);
  const Request settings = read_request(fields, options, served, call);
  fields.refuse(kRefused);
  refuse_unsupported(fields);
  fields.accept(kWithoutEffect);
  // Tokenising is the expensive part, so the prompt comes last.
  constexpr std::string_view kPrompt[] = {"prompt"};
  fields.accept(kPrompt);
  fields.finish(ignored);
  if (error) return *error;
  const PromptOptions prompt_options{.add_special = options.add_special,
                                     .n_choices = options.best_of};
  const std::vector<PromptInput> prompts = read_prompts(fields, "prompt", served, prompt_options);
  if (error) return *error;
  const auto n_sequences = static_cast<int64_t>(prompts.size()) * options.best_of;
  if (n_sequences > served.limits.max_sequences) {
    return field_error("prompt", fmt::format("{} prompts with {} choices each make {} texts, at "
                                             "most {} expected",
                                             prompts.size(), options.best_of, n_sequences,
                                             served.limits.max_sequences));
  }

  CompletionShape shape{.id = "cmpl-" + call.id,
                        .n = options.n,
                        .logprobs = settings.n_logprobs.has_value(),
                        .skip_special = settings.skip_special,
                        .echoes = {},
                        .echo_ids = {}};
  const bool has_seed = !fields.any("seed").is_missing();
  for (size_t i = 0; i < prompts.size(); ++i) {
    const PromptInput& prompt = prompts[i];
    Request request = settings;
    request.prompt = prompt.ids;
    // Without a seed of the client's, equal prompts of one call are drawn independently.
    if (!has_seed) request.sampling.seed += i * kSeedStride;
    // The choice among texts is by their log-probabilities.
    if (options.best_of > options.n && !request.n_logprobs) request.n_logprobs = 0;
    if (options.echo) {
      shape.echoes.push_back(prompt.text ? std::string(*prompt.text)
                                         : served.tokens.decode(prompt.ids));
      if (shape.logprobs) shape.echo_ids.push_back(prompt.ids);
    }
    parsed.requests.push_back(std::move(request));
  }
  parsed.answer = std::make_unique<CompletionAnswer>(
      served, call, options.delivery, std::move(shape), prompts.size(), options.best_of);
  return parsed;
}

}  // namespace forge::server::openai
