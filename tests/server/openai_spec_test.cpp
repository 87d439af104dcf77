// Trusts: OpenAI's own API description (shared test data): its request fields and its answers'
// schemas.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>

#include "forge/server/openai/embeddings.h"
#include "forge/server/openai/models.h"
#include "tests/server/openai_fixture.h"
#include "tests/test_data.h"

namespace forge::server::openai {
namespace {

json::Document load_spec(const std::string& path) {
  const std::string command = "gzip -dc '" + path + "'";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  char buffer[65536];
  while (const size_t n = fread(buffer, 1, sizeof(buffer), pipe.get())) text.append(buffer, n);
  return parse_json(text);
}

/// Checks values against the schemas of the description; the part of JSON Schema that these use.
class Schemas {
 public:
  explicit Schemas(const json::Value& spec) : all_(spec.find("components").find("schemas")) {}

  [[nodiscard]] json::Value find(std::string_view name) const {
    const json::Value schema = all_.find(name);
    EXPECT_FALSE(schema.is_missing()) << name;
    return schema;
  }

  /// Names of an object's properties, those of allOf included.
  [[nodiscard]] std::vector<std::string> properties(const json::Value& schema) const {
    const json::Value resolved = resolve(schema);
    std::vector<std::string> names;
    const json::Value members = resolved.find("properties");
    for (size_t i = 0; i < members.size(); ++i) names.emplace_back(members.key_at(i));
    const json::Value parts = resolved.find("allOf");
    for (size_t i = 0; i < parts.size(); ++i) {
      for (std::string& name : properties(parts.at(i))) names.push_back(std::move(name));
    }
    return names;
  }

  /// What is wrong with a value, or "".
  [[nodiscard]] std::string fault(const json::Value& value, const json::Value& unresolved,
                                  const std::string& path) const {
    const json::Value schema = resolve(unresolved);
    if (value.is_null() && (schema.find("nullable").as_bool().value_or(false) ||
                            unresolved.find("nullable").as_bool().value_or(false))) {
      return {};
    }
    for (const char* word : {"anyOf", "oneOf"}) {
      const json::Value options = schema.find(word);
      if (options.is_missing()) continue;
      std::string faults;
      for (size_t i = 0; i < options.size(); ++i) {
        const std::string one = fault(value, options.at(i), path);
        if (one.empty()) return {};
        faults += one + "; ";
      }
      return faults;
    }
    const std::string wrong_type = type_fault(value, schema, path);
    if (!wrong_type.empty()) return wrong_type;
    return value.is_array() ? array_fault(value, schema, path) : object_fault(value, schema, path);
  }

 private:
  [[nodiscard]] json::Value resolve(const json::Value& schema) const {
    const auto reference = schema.find("$ref").as_string();
    return reference ? find(reference->substr(reference->rfind('/') + 1)) : schema;
  }

  static std::string type_fault(const json::Value& value, const json::Value& schema,
                                const std::string& path) {
    const std::string_view type = schema.find("type").as_string().value_or("");
    const bool fits =
        type.empty() || (type == "string" && value.is_string()) ||
        (type == "integer" && value.as_int()) || (type == "number" && value.is_number()) ||
        (type == "boolean" && value.as_bool()) || (type == "array" && value.is_array()) ||
        (type == "object" && value.is_object()) || (type == "null" && value.is_null());
    if (!fits) return fmt::format("{}: {} is no {}", path, value.dump(), type);
    const json::Value words = schema.find("enum");
    for (size_t i = 0; i < words.size(); ++i) {
      if (words.at(i).dump() == value.dump()) return {};
    }
    return words.size() == 0 ? "" : fmt::format("{}: {} is not in the list", path, value.dump());
  }

  [[nodiscard]] std::string array_fault(const json::Value& value, const json::Value& schema,
                                        const std::string& path) const {
    for (size_t i = 0; i < value.size() && !schema.find("items").is_missing(); ++i) {
      const std::string one =
          fault(value.at(i), schema.find("items"), fmt::format("{}[{}]", path, i));
      if (!one.empty()) return one;
    }
    return {};
  }

  [[nodiscard]] std::string object_fault(const json::Value& value, const json::Value& schema,
                                         const std::string& path) const {
    const json::Value required = schema.find("required");
    for (size_t i = 0; i < required.size(); ++i) {
      const std::string_view name = *required.at(i).as_string();
      if (value.find(name).is_missing()) return fmt::format("{}.{}: missing", path, name);
    }
    const json::Value members = schema.find("properties");
    for (size_t i = 0; i < value.size(); ++i) {
      const json::Value member = members.find(value.key_at(i));
      if (member.is_missing()) continue;
      const std::string one =
          fault(value.member_at(i), member, fmt::format("{}.{}", path, value.key_at(i)));
      if (!one.empty()) return one;
    }
    return {};
  }

  json::Value all_;
};

void expect_valid(const Schemas& schemas, std::string_view text, std::string_view schema) {
  EXPECT_EQ(schemas.fault(parse_json(text).root(), schemas.find(schema), std::string(schema)), "")
      << text;
}

TEST(OpenAiSpec, TheCheckerBites) {
  FORGE_REQUIRE_DATA(path, "openai/openapi_subset.json.gz");
  const json::Document spec = load_spec(path);
  const Schemas schemas(spec.root());
  const auto fault = [&](const char* text) {
    return schemas.fault(parse_json(text).root(), schemas.find("CompletionUsage"), "u");
  };
  EXPECT_EQ(fault(R"({"prompt_tokens":1,"completion_tokens":2,"total_tokens":3})"), "");
  EXPECT_EQ(fault(R"({"prompt_tokens":1,"completion_tokens":2})"), "u.total_tokens: missing");
  EXPECT_EQ(fault(R"({"prompt_tokens":"1","completion_tokens":2,"total_tokens":3})"),
            "u.prompt_tokens: \"1\" is no integer");
  EXPECT_NE(
      schemas.fault(parse_json(R"({"id":"m","object":"mode","created":1,"owned_by":"f"})").root(),
                    schemas.find("Model"), "m"),
      "");
}

/// What becomes of a field: it has its effect, it is taken without any, or it is refused by name.
enum class Fate { kSupported, kWithoutEffect, kRefused };
struct Sample {
  std::string value;
  Fate fate;
};
using Samples = std::map<std::string, Sample>;

const Samples& completion_samples() {
  static const Samples samples = {
      {"model", {"\"m\"", Fate::kSupported}},
      {"prompt", {"\"a\"", Fate::kSupported}},
      {"best_of", {"3", Fate::kSupported}},
      {"echo", {"true", Fate::kSupported}},
      {"frequency_penalty", {"0.5", Fate::kSupported}},
      {"logit_bias", {"{\"5\":1}", Fate::kSupported}},
      {"logprobs", {"2", Fate::kSupported}},
      {"max_tokens", {"5", Fate::kSupported}},
      {"n", {"2", Fate::kSupported}},
      {"presence_penalty", {"0.5", Fate::kSupported}},
      {"seed", {"1", Fate::kSupported}},
      {"stop", {"[\"x\"]", Fate::kSupported}},
      {"stream", {"true", Fate::kSupported}},
      {"stream_options", {"{\"include_usage\":true},\"stream\":true", Fate::kSupported}},
      {"suffix", {"\"x\"", Fate::kRefused}},
      {"temperature", {"0.5", Fate::kSupported}},
      {"top_p", {"0.5", Fate::kSupported}},
      {"user", {"\"u\"", Fate::kWithoutEffect}},
  };
  return samples;
}

const Samples& chat_samples() {
  static const Samples samples = {
      {"audio", {"{}", Fate::kRefused}},
      {"frequency_penalty", {"0.5", Fate::kSupported}},
      {"function_call", {"\"auto\"", Fate::kRefused}},
      {"functions", {"[{\"name\":\"f\"}]", Fate::kRefused}},
      {"logit_bias", {"{\"5\":1}", Fate::kSupported}},
      {"logprobs", {"true", Fate::kSupported}},
      {"max_completion_tokens", {"5", Fate::kSupported}},
      {"max_tokens", {"5", Fate::kSupported}},
      {"messages", {R"([{"role":"user","content":"a"}])", Fate::kSupported}},
      {"metadata", {"{}", Fate::kWithoutEffect}},
      {"modalities", {"[\"audio\"]", Fate::kRefused}},
      {"model", {"\"m\"", Fate::kSupported}},
      {"moderation", {R"({"model":"m"})", Fate::kRefused}},
      {"n", {"2", Fate::kSupported}},
      {"parallel_tool_calls", {"true", Fate::kWithoutEffect}},
      {"prediction", {"{}", Fate::kWithoutEffect}},
      {"presence_penalty", {"0.5", Fate::kSupported}},
      {"prompt_cache_key", {"\"k\"", Fate::kWithoutEffect}},
      {"prompt_cache_options", {"{}", Fate::kWithoutEffect}},
      {"prompt_cache_retention", {"\"24h\"", Fate::kWithoutEffect}},
      {"reasoning_effort", {"\"low\"", Fate::kRefused}},  // of a template that does not know it
      {"response_format", {R"({"type":"json_object"})", Fate::kRefused}},
      {"safety_identifier", {"\"s\"", Fate::kWithoutEffect}},
      {"seed", {"1", Fate::kSupported}},
      {"service_tier", {"\"auto\"", Fate::kWithoutEffect}},
      {"stop", {"[\"x\"]", Fate::kSupported}},
      {"store", {"true", Fate::kWithoutEffect}},
      {"stream", {"true", Fate::kSupported}},
      {"stream_options", {"{\"include_usage\":true},\"stream\":true", Fate::kSupported}},
      {"temperature", {"0.5", Fate::kSupported}},
      {"tool_choice", {"\"required\"", Fate::kRefused}},
      {"tools", {"[{}]", Fate::kRefused}},
      {"top_logprobs", {"2,\"logprobs\":true", Fate::kSupported}},
      {"top_p", {"0.5", Fate::kSupported}},
      {"user", {"\"u\"", Fate::kWithoutEffect}},
      {"verbosity", {"\"low\"", Fate::kRefused}},
      {"web_search_options", {"{}", Fate::kRefused}},
  };
  return samples;
}

// Everything of a call that a field can change.
std::string describe(const Call& call) {
  std::string text;
  for (const Request& r : call.requests) {
    const SamplingParams& s = r.sampling;
    text += fmt::format("{} {} {} {} {} {} {} {} {} {} {} {};", fmt::join(r.prompt, ","),
                        s.temperature, s.top_p, s.presence_penalty, s.frequency_penalty,
                        s.logit_bias.size(), s.seed, r.n, r.max_tokens.value_or(-1),
                        r.stop_strings.size(), r.n_logprobs.value_or(-1), r.prompt_logprobs);
  }
  StreamEvent event = text_event(0, "x");
  for (size_t i = 0; i < call.requests[0].prompt.size(); ++i) event.prompt_logprobs.push_back({});
  event.prompt_logprobs.pop_back();
  for (int32_t choice = 0; choice < call.requests[0].n; ++choice) {
    event.choice = choice;
    text += call.answer->add(0, event) + call.answer->add(0, end_event(choice));
  }
  return text + call.answer->finish(std::vector<Usage>(call.requests.size()));
}

template <typename Parse>
void check_fields(const Schemas& schemas, std::string_view schema, const Samples& samples,
                  const std::string& required, const Parse& parse) {
  const json::Document minimal = parse_json("{" + required + "}");
  const std::string before = describe(value_of(parse("{" + required + "}")));
  for (const std::string& name : schemas.properties(schemas.find(schema))) {
    const auto sample = samples.find(name);
    if (sample == samples.end()) {
      ADD_FAILURE() << schema << "." << name << ": a field that nobody has decided about";
      continue;
    }
    const auto& [value, fate] = sample->second;
    std::string body = "{" + required;
    if (minimal.root().find(name).is_missing()) body += ",\"" + name + "\":" + value;
    const Parsed<Call> parsed = parse(body + "}");
    if (fate == Fate::kRefused) {
      EXPECT_TRUE(message_of(parsed).starts_with(name + ": ")) << name;
      EXPECT_EQ(message_of(parsed).find("unknown"), std::string::npos) << name;
      continue;
    }
    const auto* call = std::get_if<Call>(&parsed);
    ASSERT_NE(call, nullptr) << name << " " << std::get<ApiError>(parsed).message;
    const bool is_given = body.size() > required.size() + 1;
    if (is_given && name != "model") {
      EXPECT_EQ(describe(*call) == before, fate == Fate::kWithoutEffect) << name;
    }
  }
}

TEST(OpenAiSpec, EveryRequestFieldIsDecidedAbout) {
  FORGE_REQUIRE_DATA(path, "openai/openapi_subset.json.gz");
  const json::Document spec = load_spec(path);
  const Schemas schemas(spec.root());
  const TestModel model;
  check_fields(schemas, "CreateCompletionRequest", completion_samples(), R"("prompt":"hi")",
               [&](const std::string& body) { return model.completion(body); });
  check_fields(schemas, "CreateChatCompletionRequest", chat_samples(),
               R"("messages":[{"role":"user","content":"a"}])",
               [&](const std::string& body) { return model.chat_call(body); });
}

/// Both forms of an answer to a body, with log-probabilities and usage.
template <typename Parse>
void check_answers(const Schemas& schemas, const std::string& body, std::string_view whole_schema,
                   std::string_view chunk_schema, const Parse& parse) {
  for (const bool stream : {false, true}) {
    const std::string more = R"(,"stream":true,"stream_options":{"include_usage":true}})";
    const Call call = value_of(parse(body + (stream ? more : "}")));
    std::string out = call.answer->add(0, text_event(0, "x\xC3\xA9"));
    out += call.answer->add(0, end_event(0, FinishReason::kMaxTokens));
    out += call.answer->finish(std::vector<Usage>{Usage{}});
    if (!stream) {
      expect_valid(schemas, out, whole_schema);
      continue;
    }
    std::vector<std::string> events = events_of(out);
    ASSERT_EQ(events.back(), "[DONE]");
    events.pop_back();
    EXPECT_GE(events.size(), 3u);
    for (const std::string& event : events) {
      const json::Document chunk = parse_json(event);
      const json::Value choices = chunk.root().find("choices");
      const bool is_last = choices.size() == 0 || !choices.at(0).find("finish_reason").is_null();
      // The description has no schema for chunks of completions: it says they are completions,
      // which is so but for finish_reason and usage, null until the end.
      if (chunk_schema == whole_schema && !(is_last && choices.size() == 0)) continue;
      expect_valid(schemas, event, chunk_schema);
    }
  }
}

TEST(OpenAiSpec, AnswersHaveWhatTheyMust) {
  FORGE_REQUIRE_DATA(path, "openai/openapi_subset.json.gz");
  const json::Document spec = load_spec(path);
  const Schemas schemas(spec.root());
  const TestModel model("{{ messages[0].content }}{# </think> #}");
  for (const char* logprobs : {"", R"(,"logprobs":2)"}) {
    check_answers(schemas, std::string(R"({"prompt":"a")") + logprobs, "CreateCompletionResponse",
                  "CreateCompletionResponse",
                  [&](const std::string& body) { return model.completion(body); });
  }
  for (const char* logprobs : {"", R"(,"logprobs":true,"top_logprobs":2)"}) {
    check_answers(schemas, R"({"messages":[{"role":"user","content":"a"}])" + std::string(logprobs),
                  "CreateChatCompletionResponse", "CreateChatCompletionStreamResponse",
                  [&](const std::string& body) { return model.chat_call(body); });
  }
  const Call embedding = value_of(model.embeddings(R"({"input":"a"})"));
  StreamEvent event = end_event(0);
  event.embedding = {1.0f, 2.0f, 3.0f, 4.0f};
  (void)embedding.answer->add(0, event);
  expect_valid(schemas, embedding.answer->finish(std::vector<Usage>{Usage{}}),
               "CreateEmbeddingResponse");
  expect_valid(schemas, model_list_json(std::vector<ModelEntry>{{.id = "m"}}),
               "ListModelsResponse");
  expect_valid(schemas, to_json(field_error("n", "wrong")), "ErrorResponse");
  expect_valid(schemas, to_json(to_api_error({"x", ErrorKind::kBusy})), "ErrorResponse");
}

}  // namespace
}  // namespace forge::server::openai
