// Trusts: the shapes of OpenAI's API, written out by hand; a whole answer against its own stream.
#include <gtest/gtest.h>

#include "tests/server/openai_fixture.h"

namespace forge::server::openai {
namespace {

constexpr Usage kUsage{.prompt_tokens = 5, .cached_tokens = 2, .generated_tokens = 7};

std::string string_at(const json::Value& value) { return std::string(*value.as_string()); }

TEST(OpenAiCompletion, Prompts) {
  const TestModel model;
  const auto prompts = [&](const std::string& prompt) {
    std::vector<std::vector<int32_t>> ids;
    for (const Request& request :
         value_of(model.completion(R"({"prompt":)" + prompt + "}")).requests) {
      ids.push_back(request.prompt);
    }
    return ids;
  };
  using Ids = std::vector<std::vector<int32_t>>;
  EXPECT_EQ(prompts(R"("hi")"), (Ids{{256, 'h', 'i'}}));
  EXPECT_EQ(prompts(R"("hi","add_special_tokens":false)"), (Ids{{'h', 'i'}}));
  EXPECT_EQ(prompts(R"(["a","b</s>"])"), (Ids{{256, 'a'}, {256, 'b', 257}}));
  EXPECT_EQ(prompts("[1,2,259]"), (Ids{{1, 2, 259}}));
  EXPECT_EQ(prompts("[[1],[2,3]]"), (Ids{{1}, {2, 3}}));

  const auto refusal = [&](const std::string& prompt) {
    return message_of(model.completion(R"({"prompt":)" + prompt + "}"));
  };
  EXPECT_EQ(message_of(model.completion("{}")), "prompt: required");
  EXPECT_EQ(refusal("null"), "prompt: required");
  EXPECT_EQ(refusal("[]"), "prompt: has no tokens");
  EXPECT_EQ(refusal("[[1],[]]"), "prompt[1]: has no tokens");
  EXPECT_EQ(refusal(R"("","add_special_tokens":false)"), "prompt: has no tokens");
  EXPECT_EQ(refusal("7"), "prompt: expected a string or an array of token ids, got 7");
  EXPECT_EQ(refusal(R"(["a",7])"), "prompt[1]: expected a string or an array of token ids, got 7");
  EXPECT_EQ(refusal("[1,260]"),
            "prompt[1]: 260 is out of range, expected a whole number from 0 to 259");
  EXPECT_EQ(refusal("[[1],[1.5]]"),
            "prompt[1][0]: 1.5 is out of range, expected a whole number from 0 to 259");
}

TEST(OpenAiCompletion, PromptsAreBounded) {
  TestModel model;
  model.served.limits.max_prompts = 2;
  model.served.limits.max_sequences = 5;
  model.served.limits.max_prompt_bytes = 4;
  EXPECT_EQ(message_of(model.completion(R"({"prompt":["a","b","c"]})")),
            "prompt: 3 prompts, at most 2 expected");
  EXPECT_EQ(message_of(model.completion(R"({"prompt":["a","b"],"n":3})")),
            "prompt: 2 prompts with 3 choices each make 6 texts, at most 5 expected");
  EXPECT_EQ(message_of(model.completion(R"({"prompt":["aaa","bb"]})")),
            "prompt: 5 bytes, at most 4 expected");
}

TEST(OpenAiCompletion, Refusals) {
  const TestModel model;
  const auto refusal = [&](const std::string& member) {
    return message_of(model.completion(R"({"prompt":"hi",)" + member + "}"));
  };
  EXPECT_EQ(refusal(R"("suffix":"x")"),
            "suffix: not supported: no text is put between a prompt and a suffix");
  EXPECT_EQ(refusal(R"("response_format":{"type":"json_object"})"),
            "response_format: not supported: the form of a text cannot be constrained yet");
  EXPECT_EQ(refusal(R"("n":3,"best_of":2)"), "best_of: 2 is less than n, 3");
  EXPECT_EQ(refusal(R"("best_of":2,"stream":true)"),
            "best_of: more than n cannot be streamed: the best are known at the end");
  EXPECT_EQ(refusal(R"("stream_options":{"include_usage":true})"),
            "stream_options: only allowed with \"stream\": true");
  EXPECT_EQ(refusal(R"("min_tokens":17)"),
            "min_tokens: 17 is more than the 16 tokens that may be generated");
  EXPECT_EQ(refusal(R"("max_completion_tokens":5)"), "max_completion_tokens: unknown field");
}

TEST(OpenAiCompletion, EqualPromptsWithoutASeedDiffer) {
  const TestModel model;
  const Call free = value_of(model.completion(R"({"prompt":["a","a"]})"));
  EXPECT_EQ(free.requests[0].sampling.seed, 99u);
  EXPECT_NE(free.requests[0].sampling.seed, free.requests[1].sampling.seed);
  const Call seeded = value_of(model.completion(R"({"prompt":["a","a"],"seed":4})"));
  EXPECT_EQ(seeded.requests[0].sampling.seed, 4u);
  EXPECT_EQ(seeded.requests[1].sampling.seed, 4u);
}

TEST(OpenAiCompletion, WholeAnswer) {
  const TestModel model;
  const Call call = value_of(model.completion(R"({"prompt":["a","b"],"n":2})"));
  ASSERT_EQ(call.requests.size(), 2u);
  Answer& answer = *call.answer;
  for (const size_t request : {1u, 0u}) {
    for (const int32_t choice : {0, 1}) {
      EXPECT_EQ(answer.add(request, text_event(choice, fmt::format("r{}", request))), "");
      EXPECT_EQ(answer.add(request, text_event(choice, fmt::format("c{}", choice))), "");
    }
  }
  EXPECT_EQ(answer.add(0, end_event(0)), "");
  EXPECT_EQ(answer.add(0, end_event(1, FinishReason::kMaxTokens)), "");
  StreamEvent stopped = end_event(0, FinishReason::kStopString);
  stopped.stop_string = "END";
  EXPECT_EQ(answer.add(1, stopped), "");
  EXPECT_EQ(answer.add(1, end_event(1, FinishReason::kContextFull)), "");
  EXPECT_EQ(
      answer.finish(std::vector<Usage>{kUsage, kUsage}),
      R"({"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"m",)"
      R"("system_fingerprint":"fp_test","choices":[)"
      R"({"text":"r0c0","index":0,"logprobs":null,"finish_reason":"stop"},)"
      R"({"text":"r0c1","index":1,"logprobs":null,"finish_reason":"length"},)"
      R"({"text":"r1c0","index":2,"logprobs":null,"finish_reason":"stop","stop_reason":"END"},)"
      R"({"text":"r1c1","index":3,"logprobs":null,"finish_reason":"length"}],)"
      R"("usage":{"prompt_tokens":10,"completion_tokens":14,"total_tokens":24,)"
      R"("prompt_tokens_details":{"cached_tokens":4}}})");
}

TEST(OpenAiCompletion, StreamIsWhatOpenAiSends) {
  const TestModel model;
  const Call call = value_of(
      model.completion(R"({"prompt":"a","stream":true,"stream_options":{"include_usage":true}})"));
  const std::string head =
      R"({"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"m",)"
      R"("system_fingerprint":"fp_test","choices":[)";
  EXPECT_EQ(call.answer->add(0, StreamEvent{}), "");
  EXPECT_EQ(call.answer->add(0, text_event(0, "Hi")),
            "data: " + head +
                R"({"text":"Hi","index":0,"logprobs":null,"finish_reason":null}],"usage":null})" +
                "\n\n");
  EXPECT_EQ(call.answer->add(0, end_event(0)),
            "data: " + head +
                R"({"text":"","index":0,"logprobs":null,"finish_reason":"stop"}],"usage":null})" +
                "\n\n");
  EXPECT_EQ(call.answer->finish(std::vector<Usage>{kUsage}),
            "data: " + head +
                R"(],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,)"
                R"("prompt_tokens_details":{"cached_tokens":2}}})"
                "\n\ndata: [DONE]\n\n");
}

TEST(OpenAiCompletion, BestOfKeepsTheMostProbable) {
  const TestModel model;
  const Call call = value_of(model.completion(R"({"prompt":"a","n":2,"best_of":4})"));
  EXPECT_EQ(call.requests[0].n, 4);
  EXPECT_EQ(call.requests[0].n_logprobs, 0);
  // Means, not sums: the long text has the smallest sum and the largest mean.
  const std::string texts[] = {"bad", "equal", "very long and good", "equal too"};
  const double logprobs[] = {-3.0, -1.0, -0.5, -1.0};
  for (int32_t c = 0; c < 4; ++c) {
    (void)call.answer->add(0, text_event(c, texts[c], logprobs[c]));
    (void)call.answer->add(0, end_event(c, FinishReason::kMaxTokens));
  }
  const json::Document body = parse_json(call.answer->finish(std::vector<Usage>{kUsage}));
  const json::Value choices = body.root().find("choices");
  ASSERT_EQ(choices.size(), 2u);
  EXPECT_EQ(string_at(choices.at(0).find("text")), "very long and good");
  EXPECT_EQ(string_at(choices.at(1).find("text")), "equal");
  EXPECT_EQ(choices.at(1).find("index").as_int(), 1);
  EXPECT_TRUE(choices.at(0).find("logprobs").is_null());
}

TEST(OpenAiCompletion, LogprobsAndEcho) {
  const TestModel model;
  const Call call =
      value_of(model.completion(R"({"prompt":"h\u00e9","echo":true,"logprobs":2,"max_tokens":9})"));
  // The prompt is BOS, h and the two bytes of an e with an accent.
  StreamEvent first = text_event(0, "\xC3\xA9!");
  for (const int32_t id : {int32_t{'h'}, 0xC3, 0xA9}) {
    first.prompt_logprobs.push_back({{id, -1.0}, {{'x', -0.5}}});
  }
  (void)call.answer->add(0, first);
  (void)call.answer->add(0, end_event(0));
  const json::Document body = parse_json(call.answer->finish(std::vector<Usage>{kUsage}));
  const json::Value choice = body.root().find("choices").at(0);
  EXPECT_EQ(string_at(choice.find("text")), "h\xC3\xA9\xC3\xA9!");
  EXPECT_EQ(choice.find("logprobs").dump(),
            R"({"tokens":["<s>","h","bytes:\\xc3","bytes:\\xa9","bytes:\\xc3","bytes:\\xa9","!",)"
            R"("</s>"],"token_logprobs":[null,-1.0,-1.0,-1.0,-0.5,-0.5,-0.5,-0.25],)"
            R"("top_logprobs":[null,{"x":-0.5,"h":-1.0},{"x":-0.5,"bytes:\\xc3":-1.0},)"
            R"({"x":-0.5,"bytes:\\xa9":-1.0},{"bytes:\\xc3":-0.5,"z":-3.0},)"
            R"({"bytes:\\xa9":-0.5,"z":-3.0},{"!":-0.5,"z":-3.0},{"</s>":-0.25,"z":-3.0}],)"
            R"("text_offset":[0,0,1,1,2,2,3,4]})");
}

TEST(OpenAiCompletion, ImpossibleTokensAreNumbers) {
  const TestModel model;
  const Call call = value_of(model.completion(R"({"prompt":"a","logprobs":0})"));
  (void)call.answer->add(0, text_event(0, "a", -std::numeric_limits<double>::infinity()));
  (void)call.answer->add(0, end_event(0, FinishReason::kMaxTokens));
  const std::string body = call.answer->finish(std::vector<Usage>{kUsage});
  EXPECT_NE(body.find(R"("token_logprobs":[-9999.0])"), body.npos) << body;
}

// The choices' texts and log-probabilities of a stream, joined.
TEST(OpenAiCompletion, ChunksAddUpToTheWhole) {
  const TestModel model;
  const std::string fields = R"("prompt":["ab","cd"],"n":2,"echo":true,"logprobs":1)";
  const Call whole = value_of(model.completion("{" + fields + "}"));
  const Call streamed = value_of(model.completion("{" + fields + R"(,"stream":true})"));
  std::string stream;
  for (const size_t request : {0u, 1u}) {
    for (const int32_t choice : {1, 0}) {
      StreamEvent first = text_event(choice, "x\xE2\x82\xAC");
      if (choice == 1) {  // the first event of the request
        const std::vector<int32_t>& prompt = whole.requests[request].prompt;
        for (size_t i = 1; i < prompt.size(); ++i) {
          first.prompt_logprobs.push_back({{prompt[i], -2.0}, {}});
        }
      }
      StreamEvent held = text_event(choice, "y");
      held.text.clear();
      StreamEvent last = end_event(choice);
      last.text = "y";
      for (const StreamEvent& event : {first, held, last}) {
        (void)whole.answer->add(request, event);
        stream += streamed.answer->add(request, event);
      }
    }
  }
  const json::Document body = parse_json(whole.answer->finish(std::vector<Usage>{kUsage, kUsage}));
  stream += streamed.answer->finish(std::vector<Usage>{kUsage, kUsage});
  std::vector<std::string> texts(4), finishes(4);
  std::vector<std::vector<std::string>> logprobs(4, std::vector<std::string>(4));
  constexpr std::string_view kLists[] = {"tokens", "token_logprobs", "top_logprobs", "text_offset"};
  const auto join = [&](const json::Value& object, std::vector<std::string>& lists) {
    for (size_t k = 0; k < 4; ++k) {
      const json::Value list = object.find(kLists[k]);
      for (size_t i = 0; i < list.size(); ++i) lists[k] += list.at(i).dump() + " ";
    }
  };
  std::vector<std::string> events = events_of(stream);
  ASSERT_EQ(events.back(), "[DONE]");
  events.pop_back();
  for (const std::string& event : events) {
    const json::Document chunk = parse_json(event);
    const json::Value choice = chunk.root().find("choices").at(0);
    const auto index = static_cast<size_t>(*choice.find("index").as_int());
    texts[index] += *choice.find("text").as_string();
    finishes[index] += choice.find("finish_reason").as_string().value_or("");
    join(choice.find("logprobs"), logprobs[index]);
  }
  for (size_t index = 0; index < 4; ++index) {
    const json::Value choice = body.root().find("choices").at(index);
    EXPECT_EQ(string_at(choice.find("text")), texts[index]);
    EXPECT_EQ(texts[index], (index < 2 ? "ab" : "cd") + std::string("x\xE2\x82\xACy"));
    EXPECT_EQ(finishes[index], "stop");
    std::vector<std::string> lists(4);
    join(choice.find("logprobs"), lists);
    EXPECT_EQ(lists, logprobs[index]);
  }
}

TEST(OpenAiCompletion, FailuresEndTheAnswer) {
  const TestModel model;
  StreamEvent failed = end_event(0, FinishReason::kFailed);
  failed.error = Error{"logits are not numbers", ErrorKind::kInternal};
  const std::string error =
      R"({"error":{"message":"logits are not numbers","type":"server_error","param":null,)"
      R"("code":null}})";
  const Call streamed = value_of(model.completion(R"({"prompt":"a","n":2,"stream":true})"));
  EXPECT_NE(streamed.answer->add(0, text_event(1, "x")), "");
  EXPECT_EQ(streamed.answer->add(0, failed), "data: " + error + "\n\ndata: [DONE]\n\n");
  EXPECT_EQ(streamed.answer->add(0, text_event(1, "y")), "");
  EXPECT_EQ(streamed.answer->finish(std::vector<Usage>{kUsage}), "");

  const Call whole = value_of(model.completion(R"({"prompt":"a"})"));
  EXPECT_FALSE(whole.answer->failure().has_value());
  EXPECT_EQ(whole.answer->add(0, failed), "");
  ASSERT_TRUE(whole.answer->failure().has_value());
  EXPECT_EQ(whole.answer->failure()->status, 500);
  EXPECT_EQ(to_json(*whole.answer->failure()), error);

  const Call late = value_of(model.completion(R"({"prompt":"a"})"));
  (void)late.answer->add(0, end_event(0, FinishReason::kTimeout));
  EXPECT_EQ(late.answer->failure()->status, 503);
  EXPECT_EQ(late.answer->failure()->code, "timeout");
  const Call cancelled = value_of(model.completion(R"({"prompt":"a"})"));
  (void)cancelled.answer->add(0, end_event(0, FinishReason::kCancelled));
  EXPECT_EQ(cancelled.answer->failure()->status, 503);
}

}  // namespace
}  // namespace forge::server::openai
