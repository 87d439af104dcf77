// Trusted: Jinja2 3.1.2 in the settings of the transformers library, whose renderings of published
// chat templates lie in the shared test data.
#include "forge/text/chat_template.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "forge/base/mapped_file.h"
#include "tests/test_data.h"

namespace forge::text {
namespace {

/// 2025-01-15 12:00:00, the clock of the expected renderings.
std::tm fixed_now() {
  std::tm now{};
  now.tm_year = 125;
  now.tm_mon = 0;
  now.tm_mday = 15;
  now.tm_hour = 12;
  now.tm_wday = 3;
  now.tm_yday = 14;
  return now;
}

std::string read_text(const std::string& path) {
  Result<std::string> text = read_file(path, 1u << 20);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : std::string();
}

json::Document load(const std::string& path) {
  Result<json::Document> document = json::Document::load(path);
  EXPECT_TRUE(document.ok()) << path;
  return std::move(document).value();
}

std::string string_member(const json::Value& object, std::string_view name) {
  return std::string(object.find(name).as_string().value_or(""));
}

/// The input that a conversation of the test data describes.
ChatInput make_input(const json::Value& conversation) {
  ChatInput input;
  input.messages = conversation.find("messages");
  input.tools = conversation.find("tools");
  input.documents = conversation.find("documents");
  input.extra = conversation.find("extra");
  input.add_generation_prompt =
      conversation.find("add_generation_prompt").as_bool().value_or(false);
  input.now = fixed_now();
  return input;
}

/// Members of a conversation besides those that ChatInput names are variables of the template.
json::Document extra_variables(const json::Value& conversation) {
  json::Writer writer;
  writer.begin_object();
  for (size_t i = 0; i < conversation.size(); ++i) {
    const std::string_view name = conversation.key_at(i);
    if (name == "messages" || name == "tools" || name == "documents" ||
        name == "add_generation_prompt") {
      continue;
    }
    const json::Value value = conversation.member_at(i);
    writer.key(name);
    if (const auto flag = value.as_bool()) {
      writer.value(*flag);
    } else {
      ADD_FAILURE() << "a variable of an unexpected kind: " << name;
      writer.null();
    }
  }
  writer.end_object();
  return std::move(json::Document::parse(writer.text(), "extra")).value();
}

TEST(ChatTemplate, renders_published_templates_as_jinja2_does) {
  FORGE_REQUIRE_DATA(folder, "chat_templates");
  const json::Document conversations = load(folder + "/rendered/conversations.json");
  int n_equal = 0, n_refused = 0, n_allowed = 0, n_wrong = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder + "/rendered")) {
    if (file.path().filename() == "conversations.json") continue;
    const json::Document document = load(file.path().string());
    const json::Value root = document.root();
    const std::string name = string_member(root, "template");
    const std::string source = read_text(folder + "/templates/" + name);
    const Result<ChatTemplate> chat = ChatTemplate::compile(source, name);
    ASSERT_TRUE(chat.ok()) << chat.error().message;
    const std::string bos = string_member(root, "bos_token");
    const std::string eos = string_member(root, "eos_token");
    const json::Value expected = root.find("expected");
    ASSERT_GT(expected.size(), 0u) << name;
    for (size_t i = 0; i < expected.size(); ++i) {
      const std::string id(expected.key_at(i));
      const json::Value conversation = conversations.root().find(id);
      ASSERT_TRUE(conversation.is_object()) << id;
      ChatInput input = make_input(conversation);
      const json::Document extra = extra_variables(conversation);
      input.extra = extra.root();
      input.bos_token = bos;
      input.eos_token = eos;
      const Result<std::string> prompt = chat->render(input);
      const json::Value outcome = expected.member_at(i);
      if (outcome.find("error").is_string()) {
        const std::string error = string_member(outcome, "error");
        if (!prompt.ok()) {
          ++n_refused;
        } else if (error.starts_with("SecurityError")) {
          ++n_allowed;
        } else {
          ++n_wrong;
          ADD_FAILURE() << name << " " << id << ": gave a text, expected " << error;
        }
        continue;
      }
      const std::string text = string_member(outcome, "text");
      if (prompt.ok() && *prompt == text) {
        ++n_equal;
      } else {
        ++n_wrong;
        ADD_FAILURE() << name << " " << id << ": "
                      << (prompt.ok() ? "\n" + *prompt + "\nexpected\n" + text
                                      : prompt.error().message);
      }
    }
  }
  std::printf(
      "[ COUNTS ] %d renderings equal, %d refused as expected, %d allowed changes of a "
      "list, %d wrong\n",
      n_equal, n_refused, n_allowed, n_wrong);
  EXPECT_EQ(n_equal + n_refused + n_allowed, 680);
}

TEST(ChatTemplate, renders_classic_templates_as_jinja2_does) {
  FORGE_REQUIRE_DATA(path, "chat_templates/classic_template_cases.json");
  const json::Document document = load(path);
  const json::Value cases = document.root().find("cases");
  ASSERT_GT(cases.size(), 10u);
  for (size_t i = 0; i < cases.size(); ++i) {
    const json::Value one = cases.at(i);
    const std::string name = string_member(one, "name");
    const Result<ChatTemplate> chat = ChatTemplate::compile(string_member(one, "template"), name);
    const json::Value expected = one.find("python_jinja2");
    if (!chat.ok()) {
      EXPECT_TRUE(expected.find("error").is_string()) << chat.error().message;
      continue;
    }
    const std::string bos = string_member(one, "bos_token");
    const std::string eos = string_member(one, "eos_token");
    ChatInput input;
    input.messages = document.root().find("conversation");
    input.add_generation_prompt = *document.root().find("add_generation_prompt").as_bool();
    input.bos_token = bos;
    input.eos_token = eos;
    input.now = fixed_now();
    const Result<std::string> prompt = chat->render(input);
    if (expected.find("error").is_string()) {
      EXPECT_FALSE(prompt.ok()) << name << ": expected " << string_member(expected, "error");
    } else {
      ASSERT_TRUE(prompt.ok()) << name << ": " << prompt.error().message;
      EXPECT_EQ(*prompt, string_member(expected, "text")) << name;
    }
  }
  std::printf("[ COUNTS ] %zu classic templates\n", cases.size());
}

TEST(ChatTemplate, renders_plain_messages_and_extra_variables) {
  const auto chat = ChatTemplate::compile(
      "{% for m in messages %}{{ bos_token }}{{ m.role }}:{{ m.content }}{{ eos_token }}"
      "{% endfor %}{% if add_generation_prompt %}A:{% endif %}{{ mode }}{{ tools is none }}",
      "t");
  ASSERT_TRUE(chat.ok());
  const json::Document messages = to_json({{"user", "a\"b\n"}, {"assistant", "ü"}});
  const auto extra = json::Document::parse(R"({"mode": "x"})", "extra");
  ChatInput input;
  input.messages = messages.root();
  input.extra = extra->root();
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  const auto prompt = chat->render(input);
  ASSERT_TRUE(prompt.ok()) << prompt.error().message;
  EXPECT_EQ(*prompt, "<s>user:a\"b\n</s><s>assistant:ü</s>A:xTrue");
}

TEST(ChatTemplate, names_template_and_line_of_an_error) {
  const auto bad = ChatTemplate::compile("a\n{% if x %}\n{{ x", "model/chat_template");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().message,
            "model/chat_template: line 3: expected '}}', found the end of the template");
  const auto chat = ChatTemplate::compile("a\n{{ raise_exception('no') }}", "t");
  const json::Document messages = to_json({});
  ChatInput input;
  input.messages = messages.root();
  const auto refused = chat->render(input);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "t: line 2: the template refuses this input: no");
  EXPECT_FALSE(chat->render(ChatInput{}).ok()) << "messages are required";
}

TEST(ChatTemplate, every_truncation_of_real_templates_is_handled) {
  FORGE_REQUIRE_DATA(folder, "chat_templates");
  const json::Document conversations = load(folder + "/rendered/conversations.json");
  ChatInput input = make_input(conversations.root().find("parallel_tool_calls"));
  int n_compiled = 0, n_refused = 0;
  for (const std::string name : {"meta-llama-Llama-3.1-8B-Instruct", "Qwen-Qwen3-0.6B",
                                 "mistralai-Mistral-Nemo-Instruct-2407"}) {
    const std::string source = read_text(folder + "/templates/" + name + ".jinja");
    for (size_t length = 0; length < source.size(); ++length) {
      // Its own allocation of the exact size, so that a sanitizer sees a read past the end.
      const std::vector<char> cut(source.begin(),
                                  source.begin() + static_cast<std::ptrdiff_t>(length));
      const auto chat = ChatTemplate::compile(std::string_view(cut.data(), cut.size()), name);
      if (!chat.ok()) {
        ++n_refused;
        EXPECT_NE(chat.error().message.find(": line "), std::string::npos);
        continue;
      }
      ++n_compiled;
      if (const auto prompt = chat->render(input); !prompt.ok()) {
        EXPECT_TRUE(prompt.error().message.starts_with(name)) << prompt.error().message;
      }
    }
  }
  std::printf("[ COUNTS ] truncations: %d compiled, %d refused\n", n_compiled, n_refused);
  EXPECT_GT(n_compiled, 0);
  EXPECT_GT(n_refused, 1000);
}

TEST(ChatTemplate, every_changed_byte_of_a_real_template_is_handled) {
  FORGE_REQUIRE_DATA(folder, "chat_templates");
  const json::Document conversations = load(folder + "/rendered/conversations.json");
  ChatInput input = make_input(conversations.root().find("tools_system_user"));
  input.limits.max_steps = 200'000;
  const std::string source = read_text(folder + "/templates/Qwen-Qwen3-0.6B.jinja");
  int n_ok = 0, n_refused = 0;
  for (size_t at = 0; at < source.size(); at += 3) {
    for (const char c : {'{', '%', '}', '(', '\'', '-', '\xFF'}) {
      std::string changed = source;
      changed[at] = c;
      const auto chat = ChatTemplate::compile(changed, "changed");
      const bool ok = chat.ok() && chat->render(input).ok();
      ++(ok ? n_ok : n_refused);
    }
  }
  std::printf("[ COUNTS ] changed bytes: %d rendered, %d refused\n", n_ok, n_refused);
  EXPECT_GT(n_refused, 1000);
}

TEST(ChatTemplate, compiles_and_renders_a_large_template_in_milliseconds) {
  FORGE_REQUIRE_DATA(folder, "chat_templates");
  const json::Document conversations = load(folder + "/rendered/conversations.json");
  const std::string source = read_text(folder + "/templates/openai-gpt-oss-120b.jinja");
  ChatInput input = make_input(conversations.root().find("tools_system_user"));
  using Clock = std::chrono::steady_clock;
  double compile_ms = 1e9, render_ms = 1e9;
  for (int i = 0; i < 20; ++i) {  // the fastest of several: other processes may take the CPU
    const auto start = Clock::now();
    const auto chat = ChatTemplate::compile(source, "t");
    const auto compiled = Clock::now();
    ASSERT_TRUE(chat.ok());
    ASSERT_TRUE(chat->render(input).ok());
    const auto end = Clock::now();
    const auto ms = [](auto span) {
      return std::chrono::duration<double, std::milli>(span).count();
    };
    compile_ms = std::min(compile_ms, ms(compiled - start));
    render_ms = std::min(render_ms, ms(end - compiled));
  }
  std::printf("[ COUNTS ] %zu bytes: compiled in %.3f ms, rendered in %.3f ms\n", source.size(),
              compile_ms, render_ms);
  EXPECT_LT(compile_ms + render_ms, 50) << "wide enough for sanitizers";
}

}  // namespace
}  // namespace forge::text
