// Trusts: the ranges of OpenAI's API description and vLLM's documentation, spelt out here by hand.
#include <gtest/gtest.h>

#include <limits>

#include "tests/server/openai_fixture.h"

namespace forge::server::openai {
namespace {

/// The request that "prompt": "hi" with one more member makes.
Request request_with(const std::string& member) {
  const TestModel model;
  Call call = value_of(model.completion(R"({"prompt":"hi",)" + member + "}"));
  return call.requests.empty() ? Request() : call.requests[0];
}

/// The refusal of that.
std::string refusal_of(const std::string& member) {
  const TestModel model;
  return message_of(model.completion(R"({"prompt":"hi",)" + member + "}"));
}

TEST(OpenAiFields, DefaultsChangeNothing) {
  const Request request = request_with(R"("model":"m")");
  const SamplingParams& sampling = request.sampling;
  EXPECT_EQ(sampling.temperature, 1.0);
  EXPECT_EQ(sampling.top_k, 0);
  EXPECT_EQ(sampling.top_p, 1.0);
  EXPECT_EQ(sampling.min_p, 0.0);
  EXPECT_EQ(sampling.typical_p, 1.0);
  EXPECT_EQ(sampling.repetition_penalty, 1.0);
  EXPECT_EQ(sampling.presence_penalty, 0.0);
  EXPECT_EQ(sampling.frequency_penalty, 0.0);
  EXPECT_TRUE(sampling.logit_bias.empty());
  EXPECT_EQ(sampling.seed, 99u);
  EXPECT_EQ(request.max_tokens, 16);
  EXPECT_EQ(request.min_tokens, 0);
  EXPECT_FALSE(request.ignore_eos);
  EXPECT_TRUE(request.skip_special);
  EXPECT_FALSE(request.n_logprobs.has_value());
  EXPECT_FALSE(request.prompt_logprobs);
  EXPECT_FALSE(request.timeout.has_value());
  EXPECT_EQ(request.client, "key");
}

TEST(OpenAiFields, EachReachesTheRequest) {
  EXPECT_EQ(request_with(R"("temperature":0)").sampling.temperature, 0.0);
  EXPECT_EQ(request_with(R"("temperature":2)").sampling.temperature, 2.0);
  EXPECT_EQ(request_with(R"("top_p":0.25)").sampling.top_p, 0.25);
  EXPECT_EQ(request_with(R"("top_k":7)").sampling.top_k, 7);
  EXPECT_EQ(request_with(R"("top_k":-1)").sampling.top_k, 0);
  EXPECT_EQ(request_with(R"("min_p":0.5)").sampling.min_p, 0.5);
  EXPECT_EQ(request_with(R"("typical_p":0.5)").sampling.typical_p, 0.5);
  EXPECT_EQ(request_with(R"("repetition_penalty":1.5)").sampling.repetition_penalty, 1.5);
  EXPECT_EQ(request_with(R"("presence_penalty":-2)").sampling.presence_penalty, -2.0);
  EXPECT_EQ(request_with(R"("frequency_penalty":2)").sampling.frequency_penalty, 2.0);
  EXPECT_EQ(request_with(R"("seed":5)").sampling.seed, 5u);
  EXPECT_EQ(request_with(R"("seed":-1)").sampling.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(request_with(R"("max_tokens":0)").max_tokens, 0);
  EXPECT_EQ(request_with(R"("min_tokens":3)").min_tokens, 3);
  EXPECT_TRUE(request_with(R"("ignore_eos":true)").ignore_eos);
  EXPECT_FALSE(request_with(R"("skip_special_tokens":false)").skip_special);
  EXPECT_EQ(request_with(R"("priority":-3)").priority, -3);
  EXPECT_EQ(request_with(R"("cache_salt":"s")").cache_salt, "s");
  EXPECT_EQ(request_with(R"("timeout":1.5)").timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(request_with(R"("timeout":1e-9)").timeout, std::chrono::milliseconds(1));
  EXPECT_EQ(request_with(R"("n":3)").n, 3);
  EXPECT_EQ(request_with(R"("n":2,"best_of":5)").n, 5);
  EXPECT_EQ(request_with(R"("logprobs":0)").n_logprobs, 0);
  EXPECT_TRUE(request_with(R"("logprobs":2,"echo":true)").prompt_logprobs);
  EXPECT_EQ(request_with(R"("stop":"a")").stop_strings, (std::vector<std::string>{"a"}));
  EXPECT_EQ(request_with(R"("stop":["a","b"])").stop_strings, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request_with(R"("stop_token_ids":[5,0])").stop_ids, (std::vector<int32_t>{5, 0}));
  const auto bias = request_with(R"("logit_bias":{"65":-100,"7":0.5})").sampling.logit_bias;
  ASSERT_EQ(bias.size(), 2u);
  EXPECT_EQ(bias[0].id, 65);
  EXPECT_EQ(bias[0].bias, -100.0f);
  EXPECT_EQ(bias[1].bias, 0.5f);
}

TEST(OpenAiFields, NullIsAbsent) {
  const Request request = request_with(
      R"("temperature":null,"stop":null,"seed":null,"logit_bias":null,"stream_options":null,)"
      R"("suffix":null,"user":null,"model":null,"max_tokens":null,"logprobs":null)");
  EXPECT_EQ(request.sampling.temperature, 1.0);
  EXPECT_EQ(request.max_tokens, 16);
}

TEST(OpenAiFields, OutOfRange) {
  EXPECT_EQ(refusal_of(R"("temperature":3)"),
            "temperature: 3 is out of range, expected a number from 0 to 2");
  EXPECT_EQ(refusal_of(R"("top_p":-0.5)"),
            "top_p: -0.5 is out of range, expected a number from 0 to 1");
  EXPECT_EQ(refusal_of(R"("min_p":1.5)"),
            "min_p: 1.5 is out of range, expected a number from 0 to 1");
  EXPECT_EQ(refusal_of(R"("typical_p":0)"),
            "typical_p: 0 is out of range, expected a number above 0 and up to 1");
  EXPECT_EQ(refusal_of(R"("repetition_penalty":0)"),
            "repetition_penalty: 0 is out of range, expected a number above 0");
  EXPECT_EQ(refusal_of(R"("presence_penalty":2.1)"),
            "presence_penalty: 2.1 is out of range, expected a number from -2 to 2");
  EXPECT_EQ(refusal_of(R"("frequency_penalty":-3)"),
            "frequency_penalty: -3 is out of range, expected a number from -2 to 2");
  EXPECT_EQ(refusal_of(R"("top_k":-2)"),
            "top_k: -2 is out of range, expected a whole number from -1 to 2147483647");
  EXPECT_EQ(refusal_of(R"("n":0)"), "n: 0 is out of range, expected a whole number from 1 to 128");
  EXPECT_EQ(refusal_of(R"("n":129)"),
            "n: 129 is out of range, expected a whole number from 1 to 128");
  EXPECT_EQ(refusal_of(R"("logprobs":6)"),
            "logprobs: 6 is out of range, expected a whole number from 0 to 5");
  EXPECT_EQ(refusal_of(R"("max_tokens":-1)"),
            "max_tokens: -1 is out of range, expected a whole number from 0 to 2147483647");
  EXPECT_EQ(refusal_of(R"("timeout":0)"),
            "timeout: 0 is out of range, expected a number above 0 and up to 86400");
  EXPECT_EQ(refusal_of(R"("stop_token_ids":[1,260])"),
            "stop_token_ids[1]: 260 is out of range, expected a whole number from 0 to 259");
  EXPECT_EQ(refusal_of(R"("priority":3000000000)"),
            "priority: 3000000000 is out of range, expected a whole number from -2147483648 to "
            "2147483647");
  // One more than the largest of 64 bits.
  EXPECT_EQ(refusal_of(R"("seed":9223372036854775808)"),
            "seed: 9223372036854775808 is out of range, expected a whole number from "
            "-9223372036854775808 to 9223372036854775807");
}

TEST(OpenAiFields, WrongTypes) {
  EXPECT_EQ(refusal_of(R"("temperature":"hot")"),
            "temperature: expected a number from 0 to 2, got \"hot\"");
  EXPECT_EQ(refusal_of(R"("n":1.5)"),
            "n: 1.5 is out of range, expected a whole number from 1 to 128");
  EXPECT_EQ(refusal_of(R"("n":[1])"), "n: expected a whole number from 1 to 128, got an array");
  EXPECT_EQ(refusal_of(R"("stream":1)"), "stream: expected true or false, got 1");
  EXPECT_EQ(refusal_of(R"("echo":"true")"), "echo: expected true or false, got \"true\"");
  EXPECT_EQ(refusal_of(R"("cache_salt":5)"), "cache_salt: expected a string, got 5");
  EXPECT_EQ(refusal_of(R"("logit_bias":[])"), "logit_bias: expected an object, got an array");
  EXPECT_EQ(refusal_of(R"("stop":5)"), "stop: expected a string or an array of strings, got 5");
  EXPECT_EQ(refusal_of(R"("stop_token_ids":5)"), "stop_token_ids: expected an array, got 5");
  EXPECT_EQ(refusal_of(R"("stream":true,"stream_options":true)"),
            "stream_options: expected an object, got true");
  EXPECT_EQ(refusal_of(R"("stream":true,"stream_options":{"include_usage":1})"),
            "stream_options.include_usage: expected true or false, got 1");
  EXPECT_EQ(refusal_of(R"("model":7)"), "model: expected a string, got 7");
}

TEST(OpenAiFields, ListsAreBounded) {
  const auto list = [](size_t n, const std::string& element) {
    std::string text = "[" + element;
    for (size_t i = 1; i < n; ++i) text += "," + element;
    return text + "]";
  };
  EXPECT_EQ(request_with(R"("stop":)" + list(16, R"("x")")).stop_strings.size(), 16u);
  EXPECT_EQ(refusal_of(R"("stop":)" + list(17, R"("x")")), "stop: 17 strings, at most 16 expected");
  EXPECT_EQ(refusal_of(R"("stop":"")"), "stop: expected strings of 1 to 1024 bytes, got \"\"");
  EXPECT_EQ(refusal_of(R"("stop":["a",5])"), "stop: expected strings of 1 to 1024 bytes, got 5");
  EXPECT_EQ(refusal_of(R"("stop":")" + std::string(1025, 'x') + "\""),
            "stop: expected strings of 1 to 1024 bytes, got \"" + std::string(64, 'x') + "...\"");
  EXPECT_EQ(refusal_of(R"("stop_token_ids":)" + list(257, "1")),
            "stop_token_ids: 257 ids, at most 256 expected");
  std::string biases = "{\"0\":0";
  for (int i = 1; i < 1025; ++i) biases += fmt::format(",\"{}\":0", i);
  EXPECT_EQ(refusal_of(R"("logit_bias":)" + biases + "}"),
            "logit_bias: 1025 tokens, at most 1024 expected");
}

TEST(OpenAiFields, LogitBias) {
  EXPECT_EQ(refusal_of(R"("logit_bias":{"260":1})"),
            "logit_bias: \"260\" is no token id, expected one from 0 to 259");
  EXPECT_EQ(refusal_of(R"("logit_bias":{"7x":1})"),
            "logit_bias: \"7x\" is no token id, expected one from 0 to 259");
  EXPECT_EQ(refusal_of(R"("logit_bias":{"-1":1})"),
            "logit_bias: \"-1\" is no token id, expected one from 0 to 259");
  EXPECT_EQ(refusal_of(R"("logit_bias":{"7":101})"),
            "logit_bias: token 7: expected a number from -100 to 100, got 101");
  EXPECT_EQ(refusal_of(R"("logit_bias":{"7":"1"})"),
            "logit_bias: token 7: expected a number from -100 to 100, got \"1\"");
  EXPECT_EQ(refusal_of(R"("logit_bias":{"7":1,"07":1})"), "logit_bias: token 7 is given twice");
}

TEST(OpenAiFields, UnknownFields) {
  EXPECT_EQ(refusal_of(R"("temprature":1)"), "temprature: unknown field");
  EXPECT_EQ(refusal_of(R"("stream":true,"stream_options":{"x":1})"),
            "stream_options.x: unknown field");
  EXPECT_EQ(refusal_of("\"" + std::string(500, 'x') + "\":1"),
            std::string(64, 'x') + ": unknown field");
  TestModel model;
  model.served.is_lenient = true;
  const Call call =
      value_of(model.completion(R"({"prompt":"a","b":1,"stream":true,"stream_options":{"c":1}})"));
  EXPECT_EQ(call.ignored_fields, (std::vector<std::string>{"stream_options.c", "b"}));
  // What would change the answer is refused all the same.
  EXPECT_EQ(message_of(model.completion(R"({"prompt":"a","guided_json":{}})")),
            "guided_json: not supported");
}

TEST(OpenAiFields, ModelNames) {
  const TestModel model;
  EXPECT_EQ(value_of(model.completion(R"({"prompt":"a","model":"alias"})")).requests.size(), 1u);
  const auto parsed = model.completion(R"({"prompt":"a","model":"gpt-4"})");
  EXPECT_EQ(message_of(parsed), "model: \"gpt-4\" is not served here; /v1/models lists what is");
  EXPECT_EQ(std::get<ApiError>(parsed).status, 404);
  EXPECT_EQ(std::get<ApiError>(parsed).code, "model_not_found");
}

TEST(OpenAiFields, JsonThatIsNoRequest) {
  const TestModel model;
  EXPECT_EQ(message_of(model.completion("")),
            "request body: line 1, column 1: not valid JSON: The document is empty.");
  EXPECT_EQ(message_of(model.completion("[]")), "request body: expected an object, got an array");
  EXPECT_EQ(message_of(model.completion(R"({"prompt":"a","prompt":"b"})")), "prompt: given twice");
  EXPECT_EQ(
      message_of(model.completion(R"({"temperature":1e999})")),
      "request body: line 1, column 16: not valid JSON: Number too big to be stored in double.");
  const std::string deep(100000, '[');
  EXPECT_EQ(message_of(model.completion(R"({"prompt":)" + deep)),
            "request body: line 1, column 266: not valid JSON: nested deeper than 256 levels");
  EXPECT_EQ(message_of(model.completion("{\"prompt\":\"\xE2\x82\"}")),
            "request body: line 1, column 12: not valid JSON: not valid UTF-8");
  std::string wide = "{\"prompt\":\"a\"";
  for (int i = 0; i < 300; ++i) wide += fmt::format(",\"k{}\":1", i);
  EXPECT_EQ(message_of(model.completion(wide + "}")),
            "request body: 301 members, at most 256 expected");
}

TEST(OpenAiFields, ErrorsOfTheEngine) {
  const auto check = [](ErrorKind kind, int status, const char* type, const char* code) {
    const ApiError error = to_api_error({"what happened", kind});
    EXPECT_EQ(error.status, status);
    EXPECT_EQ(error.retry_after_s.has_value(), status == 429 || status == 503);
    const std::string expected_code = code == nullptr ? "null" : fmt::format("\"{}\"", code);
    EXPECT_EQ(to_json(error), fmt::format(R"({{"error":{{"message":"what happened","type":"{}",)"
                                          R"("param":null,"code":{}}}}})",
                                          type, expected_code));
  };
  check(ErrorKind::kInvalid, 400, "invalid_request_error", nullptr);
  check(ErrorKind::kTooLong, 400, "invalid_request_error", "context_length_exceeded");
  check(ErrorKind::kBusy, 429, "rate_limit_error", "rate_limit_exceeded");
  check(ErrorKind::kUnavailable, 503, "service_unavailable_error", nullptr);
  check(ErrorKind::kInternal, 500, "server_error", nullptr);
}

}  // namespace
}  // namespace forge::server::openai
