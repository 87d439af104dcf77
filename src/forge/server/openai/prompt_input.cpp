#include "forge/server/openai/prompt_input.h"

#include <utility>

namespace forge::server::openai {
namespace {

// One prompt from a string or an array of ids; element names it in errors.
PromptInput read_prompt(const json::Value& value, const std::string& element,
                        const ServedModel& served, bool add_special,
                        std::optional<ApiError>& error) {
  PromptInput prompt;
  if (const auto text = value.as_string()) {
    prompt.text = text;
    prompt.ids = served.tokens.encode(*text, add_special);
  } else if (value.is_array()) {
    prompt.ids = read_ids(value, element, served, error);
  } else if (!error) {
    error = field_error(
        element, fmt::format("expected a string or an array of token ids, got {}", shown(value)));
  }
  if (prompt.ids.empty() && !error) error = field_error(element, "has no tokens");
  return prompt;
}

// An id takes at least as much of the bounds as a byte of text, so that both end at the same size.
size_t weight(const json::Value& value) {
  return value.is_string() ? value.as_string()->size() : value.size();
}

}  // namespace

std::vector<int32_t> read_ids(const json::Value& array, std::string_view path,
                              const ServedModel& served, std::optional<ApiError>& error) {
  std::vector<int32_t> ids;
  ids.reserve(array.size());
  const int32_t last_id = served.tokens.vocab_size() - 1;
  for (size_t i = 0; i < array.size(); ++i) {
    const std::optional<int64_t> id = array.at(i).as_int();
    if (!id || *id < 0 || *id > last_id) {
      (void)read_integer(array.at(i), fmt::format("{}[{}]", path, i), 0, last_id, error);
      return {};
    }
    ids.push_back(static_cast<int32_t>(*id));
  }
  return ids;
}

std::vector<PromptInput> read_prompts(Fields& fields, std::string_view name,
                                      const ServedModel& served, const PromptOptions& options) {
  const json::Value value = fields.any(name);
  if (value.is_missing()) {
    fields.fail(name, "required");
    return {};
  }
  const bool is_list = value.is_array() && value.size() > 0 && !value.at(0).is_number();
  const size_t n_prompts = is_list ? value.size() : 1;
  const int64_t max_prompts = served.limits.prompts_of(options.n_choices);
  if (n_prompts > static_cast<size_t>(max_prompts)) {
    const bool is_plain = max_prompts == served.limits.prompts_of(1);
    fields.fail(
        name, fmt::format("{} prompts, at most {} expected{}", n_prompts, max_prompts,
                          is_plain ? "" : fmt::format(" with {} choices each", options.n_choices)));
    return {};
  }
  size_t size = is_list ? 0 : weight(value);
  for (size_t i = 0; is_list && i < n_prompts; ++i) size += weight(value.at(i));
  if (size > served.limits.max_prompt_bytes) {
    fields.fail(name,
                fmt::format("{} bytes, at most {} expected", size, served.limits.max_prompt_bytes));
  }
  std::vector<PromptInput> prompts;
  for (size_t i = 0; i < n_prompts && !fields.has_failed(); ++i) {
    const std::string element =
        is_list ? fmt::format("{}[{}]", fields.path_of(name), i) : fields.path_of(name);
    prompts.push_back(read_prompt(is_list ? value.at(i) : value, element, served,
                                  options.add_special, fields.error()));
  }
  if (fields.has_failed()) prompts.clear();
  return prompts;
}

}  // namespace forge::server::openai
