// Trusts: what transformers, vLLM and llama.cpp do with the same messages, written out by hand.
#include <gtest/gtest.h>

#include "forge/base/mapped_file.h"
#include "tests/server/openai_fixture.h"
#include "tests/test_data.h"

namespace forge::server::openai {
namespace {

/// The prompt that POST /v1/chat/completions/render shows.
std::string prompt_of(const TestModel& model, const std::string& body) {
  const std::string rendered = value_of(model.render(body));
  if (rendered.empty()) return {};
  const json::Document document = parse_json(rendered);
  return std::string(*document.root().find("prompt").as_string());
}

/// The prompt of these messages, and the refusal of them.
std::string messages_prompt(const std::string& messages, std::string_view source = kPlainTemplate) {
  return prompt_of(TestModel(source), R"({"messages":[)" + messages + "]}");
}
std::string refusal_of(const std::string& messages) {
  const TestModel model;
  return message_of(model.render(R"({"messages":[)" + messages + "]}"));
}

TEST(OpenAiConversation, RenderShowsPromptAndIds) {
  const TestModel model;
  EXPECT_EQ(value_of(model.render(R"({"messages":[{"role":"user","content":"</s>"}]})")),
            R"({"prompt":"[user]</s>\n[assistant]","token_ids":)"
            R"([91,117,115,101,114,93,257,10,91,97,115,115,105,115,116,97,110,116,93]})");
}

TEST(OpenAiConversation, RolesAndContents) {
  EXPECT_EQ(messages_prompt(R"({"role":"system","content":"s"},{"role":"user","content":"u"},)"
                            R"({"role":"assistant","content":"a"},{"role":"tool","content":"t",)"
                            R"("tool_call_id":"1"},{"role":"user","content":"v","name":"me"})"),
            "[system]s\n[user]u\n[assistant]a\n[tool]t\n[user]v\n[assistant]");
  EXPECT_EQ(messages_prompt(R"({"role":"user","content":[{"type":"text","text":"a"},)"
                            R"({"type":"text","text":"b"}]})"),
            "[user]a\nb\n[assistant]");
  // Developer messages are system messages, unless the template knows better.
  EXPECT_EQ(messages_prompt(R"({"role":"developer","content":"d"})"), "[system]d\n[assistant]");
  EXPECT_EQ(messages_prompt(R"({"role":"developer","content":"d"})",
                            "{{ messages[0].role }}{# developer #}"),
            "developer");
}

TEST(OpenAiConversation, TemplatesThatReadParts) {
  const std::string_view source =
      "{% for m in messages %}{% for c in m.content %}<{{ c.text }}>{% endfor %}{% endfor %}";
  EXPECT_EQ(messages_prompt(R"({"role":"user","content":"ab"})", source), "<ab>");
  EXPECT_EQ(messages_prompt(R"({"role":"user","content":[{"type":"text","text":"a"},)"
                            R"({"type":"text","text":"b"}]})",
                            source),
            "<a><b>");
}

TEST(OpenAiConversation, ToolCallsReachTheTemplateAsObjects) {
  const std::string_view source =
      "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}"
      "{{ c.function.name }}{{ c.function.arguments | tojson }}{{ c.id }}{% endfor %}{% endfor %}";
  EXPECT_EQ(messages_prompt(
                R"({"role":"assistant","content":null,"tool_calls":[{"id":"i","type":"function",)"
                R"("function":{"name":"f","arguments":"{\"x\": [1, 2.5, null]}"}},)"
                R"({"function":{"name":"g","arguments":""}}]})",
                source),
            "Nonef{\"x\": [1, 2.5, null]}ig{}");
  EXPECT_EQ(refusal_of(R"({"role":"assistant","tool_calls":[{"function":{"name":"f",)"
                       R"("arguments":"[1"}}]})"),
            "messages[0].tool_calls[0].function.arguments: expected the JSON text of an object");
  EXPECT_EQ(refusal_of(R"({"role":"assistant","tool_calls":[{"type":"custom"}]})"),
            "messages[0].tool_calls[0].type: only \"function\" is supported");
  EXPECT_EQ(refusal_of(R"({"role":"assistant","tool_calls":[{"function":{}}]})"),
            "messages[0].tool_calls[0].function.name: required");
}

TEST(OpenAiConversation, Refusals) {
  const TestModel model;
  EXPECT_EQ(message_of(model.render("{}")), "messages: required");
  EXPECT_EQ(message_of(model.render(R"({"messages":[]})")),
            "messages: expected at least one message");
  EXPECT_EQ(message_of(model.render(R"({"messages":"hi"})")),
            "messages: expected an array, got \"hi\"");
  EXPECT_EQ(refusal_of("7"), "messages[0]: expected an object, got 7");
  EXPECT_EQ(refusal_of(R"({"content":"x"})"), "messages[0].role: required");
  EXPECT_EQ(refusal_of(R"({"role":"robot","content":"x"})"),
            "messages[0].role: expected one of \"system\", \"developer\", \"user\", \"assistant\", "
            "\"tool\", \"function\", got \"robot\"");
  EXPECT_EQ(refusal_of(R"({"role":"user"})"), "messages[0].content: required");
  EXPECT_EQ(refusal_of(R"({"role":"assistant","content":null})"), "messages[0].content: required");
  EXPECT_EQ(refusal_of(R"({"role":"user","content":5})"),
            "messages[0].content: expected a string or an array of text parts, got 5");
  EXPECT_EQ(refusal_of(R"({"role":"user","content":[{"type":"image_url","image_url":{}}]})"),
            "messages[0].content[0].type: \"image_url\" is not supported: the model reads text "
            "only");
  EXPECT_EQ(refusal_of(R"({"role":"user","content":[{"type":"text"}]})"),
            "messages[0].content[0].text: required");
  EXPECT_EQ(refusal_of(R"({"role":"user","content":"a"},{"role":"user","content":"b","mood":1})"),
            "messages[1].mood: unknown field");
  EXPECT_EQ(refusal_of(R"({"role":"user","content":"a","tool_calls":[]})"),
            "messages[0].tool_calls: unknown field");
  EXPECT_EQ(refusal_of(R"({"role":"assistant","content":"a","audio":{"id":"x"}})"),
            "messages[0].audio: not supported: the model reads text only");
}

TEST(OpenAiConversation, TheTemplatesOwnRefusal) {
  const TestModel model("{{ raise_exception('no system message, please') }}");
  const std::string message =
      message_of(model.render(R"({"messages":[{"role":"user","content":"x"}]})"));
  EXPECT_NE(message.find("no system message, please"), message.npos) << message;
}

TEST(OpenAiConversation, TemplateVariables) {
  const TestModel model("{{ enable_thinking }} {{ reasoning_effort }} {{ tools }} {{ documents }}");
  const std::string hello = R"({"messages":[{"role":"user","content":"x"}],)";
  EXPECT_EQ(
      prompt_of(model, hello + R"("reasoning_effort":"low","documents":[{"a":1}],)"
                               R"("chat_template_kwargs":{"enable_thinking":false,"tools":[2]}})"),
      "False low [2] [{'a': 1}]");
  EXPECT_EQ(message_of(model.render(hello + R"("chat_template_kwargs":{"messages":[]}})")),
            "chat_template_kwargs: \"messages\" cannot be set here");
  EXPECT_EQ(message_of(model.render(hello + R"("reasoning_effort":"lots"})")),
            "reasoning_effort: expected one of \"none\", \"minimal\", \"low\", \"medium\", "
            "\"high\", \"xhigh\", \"max\", got \"lots\"");
  EXPECT_EQ(message_of(model.render(hello + R"("documents":[1]})")),
            "documents: expected objects, got 1");
}

TEST(OpenAiConversation, ContinuesTheFinalMessage) {
  const auto continued = [](std::string_view source, const std::string& text) {
    return prompt_of(TestModel(source), R"({"continue_final_message":true,"messages":[)"
                                        R"({"role":"user","content":"q"},{"role":"assistant",)"
                                        R"("content":")" +
                                            text + R"("}]})");
  };
  // Where the template keeps the message's white space it stays, else it goes.
  EXPECT_EQ(continued(kPlainTemplate, "Sure, "), "[user]q\n[assistant]Sure, ");
  const std::string_view trims =
      "{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}</s>\n{% endfor %}";
  EXPECT_EQ(continued(trims, "Sure, "), "[user]q</s>\n[assistant]Sure,");
  const TestModel drops("{{ messages[0].content }}");
  EXPECT_EQ(message_of(drops.render(R"({"continue_final_message":true,"messages":[)"
                                    R"({"role":"user","content":"q"},)"
                                    R"({"role":"assistant","content":"a"}]})")),
            "messages: the chat template leaves the last message out, so it cannot be continued");
  EXPECT_EQ(
      message_of(drops.render(R"({"continue_final_message":true,"add_generation_prompt":true,)"
                              R"("messages":[{"role":"user","content":"q"}]})")),
      "continue_final_message: excludes \"add_generation_prompt\": true");
}

TEST(OpenAiConversation, WhereTheAnswerBegins) {
  const ChatPrompt chat = compile("{{ messages[0].content }}{# <think></think> #}");
  EXPECT_EQ(chat.text_start("[a]<think>\n", std::nullopt), TextStart::kInThoughts);
  EXPECT_EQ(chat.text_start("[a]<think>\n\n</think>\n\n", std::nullopt), TextStart::kUnknown);
  EXPECT_EQ(chat.text_start("<think>x[a]", std::nullopt), TextStart::kUnknown);
  EXPECT_EQ(chat.text_start("[a]<think>Well", "<think>Well"), TextStart::kInThoughts);
  EXPECT_EQ(chat.text_start("", "<think>a</think>b"), TextStart::kUnknown);
  EXPECT_EQ(compile(kPlainTemplate).text_start("<think>", std::nullopt), TextStart::kUnknown);
}

// Published templates: how each wants its content, whether it thinks, and where an answer begins.
TEST(OpenAiConversation, PublishedTemplates) {
  FORGE_REQUIRE_DATA(folder, "chat_templates/templates");
  const auto model = [&](const std::string& name) {
    const Result<std::string> source = read_file(folder + "/" + name + ".jinja", 1u << 20);
    EXPECT_TRUE(source.ok()) << name;
    return TestModel(source.ok() ? source.value() : "");
  };
  const std::string hello = R"({"messages":[{"role":"user","content":"hello"}])";
  const auto start = [&](const TestModel& test, const std::string& more) {
    return test.chat.text_start(prompt_of(test, hello + more + "}"), std::nullopt);
  };
  const TestModel qwen3 = model("Qwen-Qwen3-0.6B");
  EXPECT_TRUE(qwen3.chat.think_tags().has_value());
  EXPECT_EQ(start(qwen3, ""), TextStart::kUnknown);
  EXPECT_EQ(start(qwen3, R"(,"chat_template_kwargs":{"enable_thinking":false})"),
            TextStart::kUnknown);
  const TestModel qwq = model("Qwen-QwQ-32B");  // without the variable it closes the tag at once
  EXPECT_EQ(start(qwq, ""), TextStart::kUnknown);
  EXPECT_EQ(start(qwq, R"(,"chat_template_kwargs":{"enable_thinking":true})"),
            TextStart::kInThoughts);
  EXPECT_FALSE(model("meta-llama-Llama-3.2-3B-Instruct").chat.think_tags().has_value());
  EXPECT_TRUE(model("openai-gpt-oss-120b").chat.form().has_developer_role);
  for (const char* name : {"Qwen-Qwen3-0.6B", "google-gemma-2-2b-it", "openai-gpt-oss-120b",
                           "meta-llama-Llama-3.1-8B-Instruct", "microsoft-Phi-3.5-mini-instruct"}) {
    EXPECT_FALSE(model(name).chat.form().content_as_parts) << name;
  }
  EXPECT_EQ(prompt_of(qwen3, R"({"continue_final_message":true,"messages":[{"role":"user",)"
                             R"("content":"hi"},{"role":"assistant","content":"Well, "}]})"),
            "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\nWell, ");
}

}  // namespace
}  // namespace forge::server::openai
