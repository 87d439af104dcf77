// Reference: the rule that every bad input gets one clear line on stderr, nothing on stdout, and
// exit code 1 (could not be done) or 2 (makes no sense).
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/cli/program.h"

namespace forge::cli {
namespace {

using namespace std::string_view_literals;  // for bytes with zeros among them

/// Expects exactly one error line, which holds all the parts, and no output.
void expect_error(const Outcome& outcome, int exit_code, const std::vector<std::string>& parts) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  const std::vector<std::string> lines = outcome.err_lines();
  ASSERT_EQ(lines.size(), 1u) << outcome.err;
  EXPECT_TRUE(lines[0].starts_with("forge: error: ")) << lines[0];
  for (const std::string& part : parts) {
    EXPECT_NE(lines[0].find(part), std::string::npos)
        << "\"" << part << "\" is not in: " << lines[0];
  }
}

Outcome generate(const std::string& model, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"generate", "--model",      model, "--prompt",
                                        "Once",     "--max-tokens", "2"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_forge(arguments);
}

/// The file with one string replaced by another of the same length.
std::string replaced(std::string bytes, std::string_view from, std::string_view to) {
  const size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(from.size(), to.size());
  return bytes.replace(at, to.size(), to);
}

void edit(const std::string& path, std::string_view from, std::string_view to) {
  std::string bytes = read_file(path);
  const size_t at = bytes.find(from);
  ASSERT_NE(at, std::string::npos) << from << " in " << path;
  bytes.replace(at, from.size(), to);
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(BadInput, MissingModel) {
  expect_error(generate("/no/such/model.gguf"), 1, {"/no/such/model.gguf: no such file or folder"});
  expect_error(run_forge({"generate", "--model", "Qwen/Qwen3-0.6B", "--offline", "--prompt", "a"}),
               1, {"Qwen/Qwen3-0.6B: not in the cache", "forge pull Qwen/Qwen3-0.6B"});
  expect_error(generate("Qwen3"), 1, {"Qwen3: no such file or folder", "org/name"});
  expect_error(run_forge({"inspect", "/no/such/folder"}), 1, {"/no/such/folder: no such file"});
  expect_error(run_forge({"tokenize", "/no/such/folder", "--text", "a"}), 1, {"/no/such/folder"});
  expect_error(run_forge({"generate", "--prompt", "a"}, "", {{"FORGE_MODEL", "/no/such.gguf"}}), 1,
               {"/no/such.gguf"});
}

TEST(BadInput, WrongFile) {
  TemporaryFolder folder;
  const std::string text =
      folder.write("notes.gguf", "these are notes, not a model at all, really");
  expect_error(generate(text), 1, {"notes.gguf", "GGUF"});
  expect_error(generate(folder.write("empty.gguf", "")), 1, {"empty.gguf"});
  expect_error(generate(folder.path()), 1, {"config.json"});
  expect_error(generate(stories_folder() + "/model.safetensors"), 1,
               {"model.safetensors", "folder"});
  TemporaryFolder only_gguf;
  only_gguf.write("part.gguf", "GGUF");
  expect_error(generate(only_gguf.path()), 1, {"no config.json", "give ", "part.gguf itself"});
  expect_error(generate("/dev/null"), 1, {"/dev/null"});
}

TEST(BadInput, UnreadableConfig) {
  TemporaryFolder folder;
  const std::string model = copy_stories_folder(folder);
  std::ofstream(model + "/config.json") << "{\"model_type\": ";
  expect_error(generate(model), 1, {"config.json"});
}

TEST(BadInput, TruncatedGguf) {
  TemporaryFolder folder;
  const std::string whole = read_file(stories_gguf());
  for (const size_t size :
       {size_t{3}, size_t{20}, size_t{1000}, size_t{50000}, whole.size() / 2, whole.size() - 1}) {
    expect_error(generate(folder.write("cut.gguf", whole.substr(0, size))), 1, {"cut.gguf"});
  }
}

TEST(BadInput, TruncatedSafetensors) {
  TemporaryFolder folder;
  const std::string model = copy_stories_folder(folder);
  const std::string whole = read_file(model + "/model.safetensors");
  for (const size_t size :
       {size_t{0}, size_t{7}, size_t{500}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(model + "/model.safetensors", std::ios::binary) << whole.substr(0, size);
    expect_error(generate(model), 1, {"model.safetensors"});
  }
}

TEST(BadInput, BitFlipsEndInAnErrorOrInText) {
  TemporaryFolder folder;
  const std::string whole = read_file(stories_gguf());
  int n_refused = 0;
  for (size_t i = 0; i < 60; ++i) {
    std::string flipped = whole;
    // The first 2 KiB hold the counts, the keys and the beginning of the vocabulary.
    const size_t at = i * 35;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (i % 8)));
    const Outcome outcome = generate(folder.write("flipped.gguf", flipped));
    if (outcome.exit_code == 0) continue;
    ++n_refused;
    SCOPED_TRACE("byte " + std::to_string(at) + " bit " + std::to_string(i % 8));
    EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err_lines().size(), 1u) << outcome.err;
  }
  EXPECT_GT(n_refused, 5);
}

TEST(BadInput, UnknownArchitecture) {
  TemporaryFolder folder;
  const std::string gguf =
      replaced(read_file(stories_gguf()), "general.architecture\x08\0\0\0\x05\0\0\0\0\0\0\0llama"sv,
               "general.architecture\x08\0\0\0\x05\0\0\0\0\0\0\0mamba"sv);
  expect_error(generate(folder.write("mamba.gguf", gguf)), 1, {"mamba.gguf", "mamba", "llama"});
  const std::string model = copy_stories_folder(folder);
  edit(model + "/config.json", "LlamaForCausalLM", "MambaForCausalLM");
  edit(model + "/config.json", "\"model_type\": \"llama\"", "\"model_type\": \"mamba\"");
  expect_error(generate(model), 1, {"config.json", "amba"});
}

TEST(BadInput, ConfigThatWouldChangeTheMaths) {
  TemporaryFolder folder;
  const std::string model = copy_stories_folder(folder);
  edit(model + "/config.json", "\"hidden_act\": \"silu\"", "\"hidden_act\": \"relu\"");
  expect_error(generate(model), 1, {"config.json", "hidden_act", "relu"});
}

TEST(BadInput, UnknownTensorType) {
  TemporaryFolder folder;
  std::string bytes = read_file(stories_gguf());
  const std::string name = "output_norm.weight";
  const size_t at = bytes.find(name);
  ASSERT_NE(at, std::string::npos);
  // After the name: number of dimensions (1), one dimension, then the type.
  bytes[at + name.size() + 4 + 8] = 99;
  expect_error(generate(folder.write("odd.gguf", bytes)), 1, {"odd.gguf", name, "99"});
}

TEST(BadInput, MissingTensor) {
  TemporaryFolder folder;
  const std::string gguf =
      replaced(read_file(stories_gguf()), "blk.2.ffn_up.weight", "blk.2.ffn_op.weight");
  expect_error(generate(folder.write("missing.gguf", gguf)), 1,
               {"missing.gguf", "blk.2.ffn_up.weight"});
  const std::string model = copy_stories_folder(folder);
  edit(model + "/model.safetensors", "model.norm.weight", "model.nrom.weight");
  expect_error(generate(model), 1, {"model.norm.weight"});
}

TEST(BadInput, ShapeMismatch) {
  TemporaryFolder folder;
  const std::string model = copy_stories_folder(folder);
  edit(model + "/config.json", "\"intermediate_size\": ", "\"intermediate_size\": 1");
  expect_error(generate(model), 1, {"mlp", "expected"});
}

TEST(BadInput, NanWeightsWhenAskedToCheck) {
  TemporaryFolder folder;
  const std::string model = copy_stories_folder(folder);
  std::string bytes = read_file(model + "/model.safetensors");
  const std::string nan = {'\xC0', '\x7F'};  // bfloat16 0x7FC0
  bytes.replace(bytes.size() - 100, 2, nan);
  std::ofstream(model + "/model.safetensors", std::ios::binary) << bytes;
  expect_error(generate(model, {"--check-weights"}), 1, {"nan"});
  EXPECT_EQ(run_forge({"inspect", model, "--check-weights"}).exit_code, 1);
  EXPECT_EQ(run_forge({"inspect", model}).exit_code, 0);
  EXPECT_EQ(generate(stories_folder(), {"--check-weights"}).exit_code, 0);
}

TEST(BadInput, PromptLongerThanTheContext) {
  std::string prompt;
  for (int i = 0; i < 300; ++i) prompt += "the little dog ran home and ";
  const Outcome outcome = run_forge({"generate", "--model", stories_gguf(), "--prompt", prompt});
  expect_error(outcome, 1, {"the prompt has ", " tokens, the context holds 512", "shorten"});
  expect_error(run_forge({"generate", "--model", stories_gguf(), "--ctx", "4", "--prompt",
                          "Once upon a time there was a girl"}),
               1, {"the context holds 4", "raise --ctx (up to 512)"});
  expect_error(generate(stories_gguf(), {"--ctx", "100000"}), 2, {"--ctx 100000", "512"});
}

TEST(BadInput, EmptyPromptForAModelWithoutBos) {
  TemporaryFolder folder;
  const std::string gguf =
      replaced(read_file(stories_gguf()), "tokenizer.ggml.add_bos_token\x07\0\0\0\x01"sv,
               "tokenizer.ggml.add_bos_token\x07\0\0\0\0"sv);
  const std::string model = folder.write("no_bos.gguf", gguf);
  expect_error(run_forge({"generate", "--model", model, "--prompt", ""}), 1,
               {"the prompt is empty", "at least one character"});
  const Outcome with_bos =
      run_forge({"generate", "--model", stories_gguf(), "--prompt", "", "--max-tokens", "3"});
  EXPECT_EQ(with_bos.exit_code, 0) << with_bos.err;
}

TEST(BadInput, InvalidUtf8) {
  expect_error(run_forge({"generate", "--prompt",
                          "abc\xFF"
                          "def"}),
               1, {"--prompt is not valid UTF-8: byte 3 is 0xff"});
  expect_error(run_forge({"generate"}, "ab\xC3"), 1, {"stdin is not valid UTF-8: byte 2 is 0xc3"});
  TemporaryFolder folder;
  const std::string file = folder.write("latin1.txt", "caf\xE9 noir");
  expect_error(run_forge({"generate", "--prompt-file", file}), 1, {"latin1.txt", "byte 3 is 0xe9"});
  expect_error(run_forge({"perplexity", "--file", file}), 1, {"latin1.txt", "byte 3 is 0xe9"});
  expect_error(run_forge({"tokenize", stories_gguf()}, "\x80"), 1, {"stdin", "byte 0 is 0x80"});
  expect_error(run_forge({"generate", "--prompt", "a", "--stop", "\xFE"}), 2, {"--stop", "0xfe"});
}

TEST(BadInput, MissingPromptFile) {
  expect_error(run_forge({"generate", "--prompt-file", "/no/such/prompt"}), 1, {"/no/such/prompt"});
  expect_error(run_forge({"generate", "--prompt-file", "/"}), 1, {"/: "});
  expect_error(run_forge({"perplexity", "--file", "/no/such/text"}), 1, {"/no/such/text"});
}

TEST(BadInput, UnknownFlagsAndCommands) {
  expect_error(run_forge({"generate", "--temprature", "1"}), 2,
               {"unknown option --temprature", "did you mean --temperature?"});
  expect_error(run_forge({"generate", "--zzz=4"}), 2, {"unknown option --zzz"});
  expect_error(run_forge({"generate", "stray"}), 2, {"unexpected argument \"stray\""});
  expect_error(run_forge({}), 2, {"no command"});
  expect_error(run_forge({"--frobnicate"}), 2, {"unknown option --frobnicate"});
  expect_error(run_forge({"generat"}), 2, {"unknown command \"generat\": did you mean generate?"});
  for (const std::string later : {"fetch", "teleport"}) {
    expect_error(run_forge({later}), 2, {"unknown command \"" + later + "\""});
  }
}

TEST(BadInput, ContradictoryFlags) {
  const std::vector<std::string> prompt = {"generate", "--prompt", "a"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), prompt.begin(), prompt.end());
    return run_forge(more);
  };
  expect_error(with({"--raw", "--chat"}), 2, {"--raw", "--chat"});
  expect_error(with({"--prompt-file", "x"}), 2, {"--prompt-file", "--prompt"});
  expect_error(with({"--system", "be brief"}), 2, {"--system", "--chat"});
  expect_error(with({"--seed", "1", "--seed", "2"}), 2, {"--seed is given 2 times"});
  expect_error(with({"--prompt", "b"}), 2, {"--prompt is given 2 times"});
  expect_error(with({"--prompt-logprobs"}), 2, {"--prompt-logprobs needs --logprobs"});
  expect_error(run_forge({"tokenize", "--text", "a", "--jsonl"}), 2, {"--jsonl", "--text"});
}

TEST(BadInput, MoreThreadsThanTheProcessMayUse) {
  const Outcome outcome = generate(stories_gguf(), {"--threads", "1000"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("forge: warning: --threads 1000: the process may use "),
            std::string::npos)
      << outcome.err;
  // What runs is what the warning says: one thread on one CPU.
  const Outcome one =
      run_shell("taskset -c $(taskset -cp $$ | grep -oE '[0-9]+$') $FORGE generate -m " +
                stories_gguf() + " --prompt a --max-tokens 2 --threads 2");
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_NE(one.err.find("may use 1 CPU (affinity and cgroup quota), running 1 thread"),
            std::string::npos)
      << one.err;
  EXPECT_NE(one.err.find(", 1 thread, "), std::string::npos) << one.err;
}

TEST(BadInput, ValuesOutOfRange) {
  const auto with = [&](const std::string& flag, const std::string& value) {
    return run_forge({"generate", "--prompt", "a", flag, value});
  };
  expect_error(with("--temperature", "-1"), 2, {"temperature is -1, expected a number >= 0"});
  expect_error(with("--temperature", "nan"), 2, {"temperature is nan"});
  expect_error(with("--temperature", "warm"), 2, {"--temperature", "warm"});
  expect_error(with("--top-p", "1.5"), 2, {"top_p is 1.5"});
  expect_error(with("--top-k", "-3"), 2, {"top_k is -3"});
  expect_error(with("--top-k", "2.5"), 2, {"--top-k", "2.5"});
  expect_error(with("--min-p", "2"), 2, {"min_p is 2"});
  expect_error(with("--max-tokens", "-1"), 2, {"--max-tokens -1"});
  expect_error(with("--max-tokens", "99999999999"), 2, {"--max-tokens", "99999999999"});
  expect_error(with("--seed", "-1"), 2, {"--seed", "-1"});
  expect_error(with("--threads", "-2"), 2, {"--threads -2"});
  expect_error(with("--logprobs", "-1"), 2, {"--logprobs -1"});
  expect_error(with("--logit-bias", "7"), 2, {"--logit-bias 7: expected ID=V"});
  expect_error(with("--logit-bias", "7=x"), 2, {"--logit-bias 7=x"});
  expect_error(with("--logit-bias", "999999=1"), 2, {"token 999999"});
  expect_error(with("--stop-token", "999999"), 2, {"stop token 999999"});
  expect_error(with("--stop", ""), 2, {"--stop"});
  expect_error(with("--device", "cuda:99"), 2, {"--device cuda:99: "});
  expect_error(with("--device", "tpu"), 2, {"--device tpu: expected auto, cpu, cuda or cuda:N"});
  expect_error(with("--dtype", "f64"), 2, {"--dtype f64: expected auto", "f32", "bf16"});
  expect_error(run_forge({"generate", "--prompt", "a"}, "", {{"FORGE_DEVICE", "cuda:99"}}), 2,
               {"--device cuda:99: "});
  expect_error(run_forge({"perplexity", "--file", "x", "--ctx", "1"}), 2, {"--ctx 1"});
  expect_error(run_forge({"perplexity"}), 2, {"--file"});
}

TEST(BadInput, ChatWithoutATemplate) {
  expect_error(generate(stories_gguf(), {"--chat"}), 1, {"no chat template"});
}

TEST(BadInput, MoreContextThanMemory) {
  TemporaryFolder folder;
  const std::string model = copy_stories_folder(folder);
  edit(model + "/config.json", "\"max_position_embeddings\": 512",
       "\"max_position_embeddings\": 1000000000");
  const Outcome outcome =
      run_forge({"generate", "--model", model, "--prompt", "Once", "--max-tokens", "900000000"});
  expect_error(outcome, 1, {"not enough memory", "KV cache", "left: --ctx ", " fits"});
  const Outcome whole = run_forge({"inspect", model});
  EXPECT_NE(whole.out.find("  not enough memory: "), std::string::npos) << whole.out;
  // What is suggested fits; half of it, since other programs may have taken memory meanwhile.
  const int64_t ctx = std::stoll(outcome.err.substr(outcome.err.find("--ctx ") + 6));
  const Outcome less = run_forge({"inspect", model, "--ctx", std::to_string(ctx / 2)});
  EXPECT_NE(less.out.find("  fits: "), std::string::npos) << less.out;
}

TEST(BadInput, ErrorsStayOneLineWhateverIsInThem) {
  expect_error(generate("/no/such\nfile\x1b[31m.gguf"), 1, {"/no/such\\nfile\\x1b[31m.gguf"});
}

TEST(BadInput, FullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const Outcome outcome = run_shell("\"$FORGE\" version > /dev/full");
  expect_error(outcome, 1, {"cannot write to stdout"});
}

}  // namespace
}  // namespace forge::cli
