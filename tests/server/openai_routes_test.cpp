// Trusts: OpenAI's and vLLM's shapes, written out by hand; RFC 4648's own examples of base64.
#include <gtest/gtest.h>

#include <cmath>

#include "forge/server/openai/embeddings.h"
#include "forge/server/openai/models.h"
#include "tests/server/openai_fixture.h"

namespace forge::server::openai {
namespace {

TEST(OpenAiEmbeddings, RequestPerInput) {
  const TestModel model;
  const Call call = value_of(model.embeddings(R"({"input":["a",[1,2]],"model":"m","user":"u"})"));
  ASSERT_EQ(call.requests.size(), 2u);
  EXPECT_EQ(call.requests[0].prompt, (std::vector<int32_t>{256, 'a'}));
  EXPECT_EQ(call.requests[1].prompt, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(call.requests[0].embedding, Pooling::kMean);
  EXPECT_EQ(call.requests[0].client, "key");
  const Call last = value_of(model.embeddings(R"({"input":"a","pooling":"last"})"));
  EXPECT_EQ(last.requests[0].embedding, Pooling::kLast);
}

TEST(OpenAiEmbeddings, Refusals) {
  const TestModel model;
  const auto refusal = [&](const std::string& body) { return message_of(model.embeddings(body)); };
  EXPECT_EQ(refusal("{}"), "input: required");
  EXPECT_EQ(refusal(R"({"input":"a","dimensions":5})"),
            "dimensions: 5 is out of range, expected a whole number from 1 to 4");
  EXPECT_EQ(refusal(R"({"input":"a","encoding_format":"hex"})"),
            "encoding_format: expected one of \"float\", \"base64\", got \"hex\"");
  EXPECT_EQ(refusal(R"({"input":"a","pooling":"cls"})"),
            "pooling: expected one of \"mean\", \"last\", got \"cls\"");
  EXPECT_EQ(refusal(R"({"input":"a","temperature":1})"), "temperature: unknown field");
}

std::string embedding_body(const TestModel& model, const std::string& member) {
  const Call call = value_of(model.embeddings(R"({"input":"a")" + member + "}"));
  StreamEvent event = end_event(0);
  event.embedding = {3.0f, 4.0f, 0.0f, 12.0f};  // 3, 4 and all four make whole lengths: 5 and 13
  EXPECT_EQ(call.answer->add(0, event), "");
  return call.answer->finish(std::vector<Usage>{Usage{.prompt_tokens = 2}});
}

TEST(OpenAiEmbeddings, Answers) {
  const TestModel model;
  const std::string tail = R"(}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2}})";
  const std::string head =
      R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":)";
  EXPECT_EQ(embedding_body(model, R"(,"dimensions":2)"), head + "[0.6,0.8]" + tail);
  EXPECT_EQ(embedding_body(model, ""), head + "[0.23076923,0.30769232,0.0,0.9230769]" + tail);
  // 0.6f is 0x3F19999A, 0.8f is 0x3F4CCCCD.
  EXPECT_EQ(embedding_body(model, R"(,"dimensions":2,"encoding_format":"base64")"),
            head + "\"mpkZP83MTD8=\"" + tail);
}

TEST(OpenAiEmbeddings, Base64) {
  const auto encode = [](std::string_view text) {
    return base64({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
  };
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encode("\xFF\xFB\xEF"), "//vv");
}

TEST(OpenAiEmbeddings, Normalised) {
  EXPECT_EQ(normalised(std::vector<float>{0.0f, 0.0f}, 2), (std::vector<float>{0.0f, 0.0f}));
  // Squares that single precision does not hold.
  const std::vector<float> large = normalised(std::vector<float>{3e30f, 4e30f}, 2);
  EXPECT_FLOAT_EQ(large[0], 0.6f);
  EXPECT_FLOAT_EQ(large[1], 0.8f);
}

TEST(OpenAiModels, ListAndEntry) {
  const ModelEntry entry{.id = "m", .created = 5, .max_model_len = 1000, .is_ready = true};
  const std::string json =
      R"({"id":"m","object":"model","created":5,"owned_by":"forge","ready":true,)"
      R"("max_model_len":1000})";
  EXPECT_EQ(model_json(entry), json);
  EXPECT_EQ(model_list_json(std::vector<ModelEntry>{entry, entry}),
            R"({"object":"list","data":[)" + json + "," + json + "]}");
}

TEST(OpenAiTokenize, TextToIdsAndBack) {
  const TestModel model;
  const auto tokenize = [&](const std::string& body) { return value_of(model.tokenize(body)); };
  EXPECT_EQ(tokenize(R"({"prompt":"a</s>"})"),
            R"({"count":3,"max_model_len":1000,"tokens":[256,97,257],"token_strs":null})");
  EXPECT_EQ(
      tokenize(R"({"prompt":"\u00e9","add_special_tokens":false,"return_token_strs":true})"),
      R"({"count":2,"max_model_len":1000,"tokens":[195,169],"token_strs":["\\xc3","\\xa9"]})");
  EXPECT_EQ(
      tokenize(R"({"messages":[{"role":"user","content":"a"}],"add_generation_prompt":false})"),
      R"({"count":8,"max_model_len":1000,"tokens":[91,117,115,101,114,93,97,10],)"
      R"("token_strs":null})");
  EXPECT_EQ(tokenize(R"({"prompt":"","add_special_tokens":false})"),
            R"({"count":0,"max_model_len":1000,"tokens":[],"token_strs":null})");
  EXPECT_EQ(value_of(model.detokenize(R"({"tokens":[256,97,257]})")), R"({"prompt":"<s>a</s>"})");
}

TEST(OpenAiTokenize, Refusals) {
  const TestModel model;
  EXPECT_EQ(message_of(model.tokenize("{}")), "prompt: required, unless there are \"messages\"");
  EXPECT_EQ(message_of(model.tokenize(R"({"prompt":"a","messages":[]})")),
            "messages: expected at least one message");
  EXPECT_EQ(message_of(model.detokenize("{}")), "tokens: required");
  EXPECT_EQ(message_of(model.detokenize(R"({"tokens":[1,-1]})")),
            "tokens[1]: -1 is out of range, expected a whole number from 0 to 259");
  EXPECT_EQ(message_of(model.detokenize(R"({"tokens":[],"x":1})")), "x: unknown field");
}

}  // namespace
}  // namespace forge::server::openai
