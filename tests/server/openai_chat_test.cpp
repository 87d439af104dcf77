// Trusts: the shapes of OpenAI's API, written out by hand; a whole answer against its own stream.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/server/openai_fixture.h"

namespace forge::server::openai {
namespace {

constexpr Usage kUsage{.prompt_tokens = 5, .cached_tokens = 2, .generated_tokens = 7};
constexpr std::string_view kThinkTemplate =
    "{% for m in messages %}{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}[a]{% if think %}<think>\n{% endif %}{% endif %}"
    "{# </think> #}";
const std::string kHello = R"("messages":[{"role":"user","content":"hello"}])";

Call chat_call(const TestModel& model, const std::string& member) {
  return value_of(model.chat_call("{" + kHello + "," + member + "}"));
}

std::string refusal_of(const std::string& member) {
  const TestModel model;
  return message_of(model.chat_call("{" + kHello + "," + member + "}"));
}

TEST(OpenAiChat, FieldsReachTheRequest) {
  const TestModel model;
  const Request plain = chat_call(model, R"("model":"m")").requests[0];
  EXPECT_EQ(model.tokens.decode(plain.prompt), "[user]hello\n[assistant]");
  EXPECT_FALSE(plain.max_tokens.has_value());
  EXPECT_FALSE(plain.n_logprobs.has_value());
  EXPECT_EQ(plain.n, 1);
  EXPECT_EQ(plain.sampling.seed, 99u);
  EXPECT_EQ(chat_call(model, R"("max_tokens":4)").requests[0].max_tokens, 4);
  EXPECT_EQ(chat_call(model, R"("max_tokens":4,"max_completion_tokens":6)").requests[0].max_tokens,
            6);
  EXPECT_EQ(chat_call(model, R"("logprobs":true)").requests[0].n_logprobs, 0);
  EXPECT_EQ(chat_call(model, R"("logprobs":true,"top_logprobs":20)").requests[0].n_logprobs, 20);
  EXPECT_EQ(chat_call(model, R"("n":3,"temperature":0.5,"top_k":4)").requests[0].n, 3);
  EXPECT_EQ(chat_call(model, R"("add_special_tokens":true)").requests[0].prompt[0],
            ByteTokens::kBos);
}

TEST(OpenAiChat, WhatAsksForNothingNewIsAccepted) {
  const TestModel model;
  for (const char* member :
       {R"("tools":[],"tool_choice":"auto")",
        R"("tools":[{"type":"function"}],"tool_choice":"none")", R"("function_call":"none")",
        R"("response_format":{"type":"text"})", R"("verbosity":"medium")",
        R"("modalities":["text"])", R"("store":true,"metadata":{"a":"b"},"service_tier":"auto")",
        R"("user":"u","safety_identifier":"s","prompt_cache_key":"k","parallel_tool_calls":true)",
        R"("prediction":{"type":"content","content":"x"},"logprobs":false)"}) {
    // The prompt has nothing of it.
    EXPECT_EQ(model.tokens.decode(chat_call(model, member).requests[0].prompt),
              "[user]hello\n[assistant]");
  }
}

TEST(OpenAiChat, Refusals) {
  EXPECT_EQ(refusal_of(R"("tools":[{"type":"function"}])"),
            "tools: calling tools is not supported yet; with \"tool_choice\": \"none\" the answer "
            "is text");
  EXPECT_EQ(refusal_of(R"("tool_choice":"required")"),
            "tool_choice: \"required\" is not supported yet, expected \"none\"");
  EXPECT_EQ(refusal_of(R"("tool_choice":{"type":"function"})"),
            "tool_choice: an object is not supported yet, expected \"none\"");
  EXPECT_EQ(refusal_of(R"("functions":[{"name":"f"}])"),
            "functions: not supported: calling functions is not there yet");
  EXPECT_EQ(refusal_of(R"("function_call":"auto")"),
            "function_call: \"auto\" is not supported yet, expected \"none\"");
  EXPECT_EQ(refusal_of(R"("response_format":{"type":"json_object"})"),
            "response_format: type \"json_object\" is not supported yet, expected \"text\"");
  EXPECT_EQ(refusal_of(R"("response_format":{})"),
            "response_format: type (none) is not supported yet, expected \"text\"");
  EXPECT_EQ(refusal_of(R"("verbosity":"low")"),
            "verbosity: \"low\" is not supported, expected \"medium\"");
  EXPECT_EQ(refusal_of(R"("modalities":["text","audio"])"),
            "modalities: \"audio\" is not supported, expected \"text\"");
  EXPECT_EQ(refusal_of(R"("audio":{"voice":"a"})"),
            "audio: not supported: the model writes text only");
  EXPECT_EQ(refusal_of(R"("web_search_options":{})"),
            "web_search_options: not supported: there is no web search");
  EXPECT_EQ(refusal_of(R"("moderation":{"model":"m"})"),
            "moderation: not supported: there is no moderation model");
  EXPECT_EQ(refusal_of(R"("chat_template":"x")"),
            "chat_template: not supported: the model's own template is used");
  EXPECT_EQ(refusal_of(R"("echo":true)"), "echo: not supported in chats");
  EXPECT_EQ(refusal_of(R"("reasoning_effort":"low")"),
            "reasoning_effort: the model's chat template does not know it");
  EXPECT_EQ(refusal_of(R"("top_logprobs":3)"),
            "top_logprobs: only allowed with \"logprobs\": true");
  EXPECT_EQ(refusal_of(R"("logprobs":true,"top_logprobs":21)"),
            "top_logprobs: 21 is out of range, expected a whole number from 0 to 20");
  EXPECT_EQ(refusal_of(R"("logprobs":3)"), "logprobs: expected true or false, got 3");
  EXPECT_EQ(refusal_of(R"("max_completion_tokens":0)"),
            "max_completion_tokens: 0 is out of range, expected a whole number from 1 to "
            "2147483647");
  EXPECT_EQ(refusal_of(R"("best_of":2)"), "best_of: unknown field");
}

TEST(OpenAiChat, ModelWithoutATemplate) {
  TestModel model;
  model.served.chat = nullptr;
  EXPECT_EQ(message_of(model.chat_call("{" + kHello + "}")),
            "messages: the model has no chat template; /v1/completions continues plain text");
}

TEST(OpenAiChat, WholeAnswer) {
  const TestModel model;
  const Call call = chat_call(model, R"("n":2,"logprobs":true,"top_logprobs":2)");
  EXPECT_EQ(call.answer->add(0, text_event(1, "B")), "");
  EXPECT_EQ(call.answer->add(0, text_event(0, "\xC3\xA9")), "");
  EXPECT_EQ(call.answer->add(0, end_event(0, FinishReason::kMaxTokens)), "");
  StreamEvent stopped = end_event(1, FinishReason::kStopToken);
  stopped.ids = {7};
  EXPECT_EQ(call.answer->add(0, stopped), "");
  EXPECT_EQ(
      call.answer->finish(std::vector<Usage>{kUsage}),
      R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m",)"
      R"("system_fingerprint":"fp_test","choices":[{"index":0,"message":{"role":"assistant",)"
      "\"content\":\"\xC3\xA9\""
      R"(,"refusal":null},"logprobs":{"content":[)"
      R"({"token":"\\xc3","logprob":-0.5,"bytes":[195],"top_logprobs":[)"
      R"({"token":"\\xc3","logprob":-0.5,"bytes":[195]},{"token":"z","logprob":-3.0,"bytes":[122]}]},)"
      R"({"token":"\\xa9","logprob":-0.5,"bytes":[169],"top_logprobs":[)"
      R"({"token":"\\xa9","logprob":-0.5,"bytes":[169]},{"token":"z","logprob":-3.0,"bytes":[122]}]}],)"
      R"("refusal":null},"finish_reason":"length"},)"
      R"({"index":1,"message":{"role":"assistant","content":"B","refusal":null},)"
      R"("logprobs":{"content":[{"token":"B","logprob":-0.5,"bytes":[66],"top_logprobs":[)"
      R"({"token":"B","logprob":-0.5,"bytes":[66]},{"token":"z","logprob":-3.0,"bytes":[122]}]}],)"
      R"("refusal":null},"finish_reason":"stop","stop_reason":7}],)"
      R"("usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,)"
      R"("prompt_tokens_details":{"cached_tokens":2}}})");
}

TEST(OpenAiChat, StreamIsWhatOpenAiSends) {
  const TestModel model;
  const Call call = chat_call(model, R"("stream":true,"stream_options":{"include_usage":true})");
  const auto event = [](const std::string& choices, const std::string& usage) {
    return R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,)"
           R"("model":"m","system_fingerprint":"fp_test","choices":[)" +
           choices + R"(],"usage":)" + usage + "}\n\n";
  };
  const auto chunk = [&](const std::string& delta, const std::string& finish) {
    return event(
        R"({"index":0,"delta":)" + delta + R"(,"logprobs":null,"finish_reason":)" + finish + "}",
        "null");
  };
  EXPECT_EQ(call.answer->add(0, text_event(0, "Hi")),
            chunk(R"({"role":"assistant","content":"","refusal":null})", "null") +
                chunk(R"({"content":"Hi"})", "null"));
  EXPECT_EQ(call.answer->add(0, StreamEvent{}), "");
  EXPECT_EQ(call.answer->add(0, end_event(0)), chunk("{}", "\"stop\""));
  EXPECT_EQ(call.answer->finish(std::vector<Usage>{kUsage}),
            event("", R"({"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,)"
                      R"("prompt_tokens_details":{"cached_tokens":2}})") +
                "data: [DONE]\n\n");
}

TEST(OpenAiChat, ReasoningIsPartedAlikeInStreamAndWhole) {
  const TestModel model(kThinkTemplate);
  const std::string text = "I wonder\n</think>\n\nYes <b>";
  for (const bool is_inside : {false, true}) {
    const std::string member =
        is_inside ? R"("chat_template_kwargs":{"think":true})" : R"("chat_template_kwargs":{})";
    const Call whole = chat_call(model, member);
    const Call streamed = chat_call(model, member + R"(,"stream":true)");
    const std::string full = (is_inside ? "" : "<think>\n") + text;
    std::string stream;
    const std::vector<int32_t> ids = model.tokens.encode(full, false);
    for (const int32_t id : ids) {
      const StreamEvent event = text_event(0, model.tokens.token_bytes(id));
      (void)whole.answer->add(0, event);
      stream += streamed.answer->add(0, event);
    }
    (void)whole.answer->add(0, end_event(0));
    stream += streamed.answer->add(0, end_event(0));
    std::string content, reasoning;
    for (const std::string& event : events_of(stream)) {
      const json::Document chunk = parse_json(event);
      const json::Value delta = chunk.root().find("choices").at(0).find("delta");
      content += delta.find("content").as_string().value_or("");
      reasoning += delta.find("reasoning_content").as_string().value_or("");
    }
    EXPECT_EQ(reasoning, "I wonder");
    EXPECT_EQ(content, "Yes <b>");
    const json::Document body = parse_json(whole.answer->finish(std::vector<Usage>{kUsage}));
    const json::Value message = body.root().find("choices").at(0).find("message");
    EXPECT_EQ(message.find("reasoning_content").as_string(), "I wonder");
    EXPECT_EQ(message.find("content").as_string(), "Yes <b>");
    EXPECT_EQ(body.root()
                  .find("usage")
                  .find("completion_tokens_details")
                  .find("reasoning_tokens")
                  .as_int(),
              std::find(ids.begin(), ids.end(), ByteTokens::kCloseThink) - ids.begin() + 1);
  }
}

TEST(OpenAiChat, ReasoningCanStayInTheText) {
  TestModel model(kThinkTemplate);
  const auto content = [&](const std::string& member) {
    const Call call = chat_call(model, member);
    (void)call.answer->add(0, text_event(0, "<think>a</think>b"));
    (void)call.answer->add(0, end_event(0));
    const json::Document body = parse_json(call.answer->finish(std::vector<Usage>{kUsage}));
    const json::Value message = body.root().find("choices").at(0).find("message");
    return std::string(*message.find("content").as_string());
  };
  EXPECT_EQ(content(R"("separate_reasoning":true)"), "b");
  EXPECT_EQ(content(R"("separate_reasoning":false)"), "<think>a</think>b");
  model.served.splits_reasoning = false;
  EXPECT_EQ(content(R"("model":"m")"), "<think>a</think>b");
}

}  // namespace
}  // namespace forge::server::openai
