// Reference: the refusals and defaults that tokenizer.h promises for GGUF metadata; ids of real
// vocabularies are compared in vectors_test.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "forge/text/load/patterns.h"
#include "forge/text/tokenizer.h"

namespace forge::text {
namespace {

using Ids = std::vector<int32_t>;

GgufVocabulary byte_level() {
  GgufVocabulary vocabulary;
  vocabulary.model = "gpt2";
  vocabulary.pre = "gpt-2";
  vocabulary.tokens = {"a",
                       "b",
                       "\u0120",
                       "\u0120"
                       "a",
                       "<|end|>",
                       "<|user|>"};
  vocabulary.token_types = {1, 1, 1, 1, 3, 4};
  vocabulary.merges = {"\u0120 a"};
  vocabulary.bos_id = 4;
  vocabulary.eos_id = 4;
  return vocabulary;
}

GgufVocabulary sentencepiece() {
  GgufVocabulary vocabulary;
  vocabulary.model = "llama";
  vocabulary.tokens = {"<unk>",
                       "<s>",
                       "</s>",
                       "\u2581",
                       "a",
                       "\u2581"
                       "a"};
  vocabulary.token_types = {2, 3, 3, 1, 1, 1};
  vocabulary.scores = {0, 0, 0, -2, -3, -1};
  vocabulary.bos_id = 1;
  vocabulary.eos_id = 2;
  return vocabulary;
}

TEST(GgufVocabulary, ByteLevel) {
  const auto tokenizer = Tokenizer::from_gguf(byte_level(), "m.gguf");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("b a<|end|>"), (Ids{1, 3, 4}));
  EXPECT_EQ(tokenizer->encode("b<|user|>", {.parse_special = false}), (Ids{1, 5}));
  EXPECT_EQ(tokenizer->decode(Ids{1, 3, 4}, {.skip_special = true}), "b a");
  EXPECT_EQ(tokenizer->token_bytes(3), " a");
  EXPECT_EQ(tokenizer->description(), "byte-level BPE, gpt-2 pre-tokenizer");
  GgufVocabulary with_flags = byte_level();
  with_flags.add_bos = true;
  with_flags.add_eos = true;
  EXPECT_EQ(Tokenizer::from_gguf(std::move(with_flags), "m.gguf")->encode("a"), (Ids{4, 0, 4}));
}

TEST(GgufVocabulary, SentencePieceDefaults) {
  const auto tokenizer = Tokenizer::from_gguf(sentencepiece(), "m.gguf");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("a a"), (Ids{1, 5, 5}));
  EXPECT_EQ(tokenizer->encode("qq", {.add_special = false}), (Ids{3, 0}));
  GgufVocabulary plain = sentencepiece();
  plain.add_bos = false;
  plain.add_space_prefix = false;
  EXPECT_EQ(Tokenizer::from_gguf(std::move(plain), "m.gguf")->encode("a"), (Ids{4}));
}

TEST(GgufVocabulary, RefusesByName) {
  struct Case {
    std::function<void(GgufVocabulary&)> change;
    const char* message;
  };
  const Case cases[] = {
      {[](GgufVocabulary& v) { v.model = "t5"; }, "tokenizer.ggml.model: \"t5\" is not supported"},
      {[](GgufVocabulary& v) { v.model = "bert"; }, "\"bert\" is not supported"},
      {[](GgufVocabulary& v) { v.model = "rwkv"; }, "\"rwkv\" is not supported"},
      {[](GgufVocabulary& v) { v.model = "plamo2"; }, "\"plamo2\" is not supported"},
      {[](GgufVocabulary& v) { v.model = "no_vocab"; }, "\"no_vocab\" is not supported"},
      {[](GgufVocabulary& v) { v.pre = "odd"; }, "tokenizer.ggml.pre: pre-tokenizer \"odd\""},
      {[](GgufVocabulary& v) { v.tokens.clear(); }, "tokenizer.ggml.tokens: missing or empty"},
      {[](GgufVocabulary& v) { v.token_types.pop_back(); }, "token_type: 5 entries, expected 6"},
      {[](GgufVocabulary& v) { v.token_types[0] = 9; }, "token_type[0]: 9"},
      {[](GgufVocabulary& v) { v.bos_id = 6; }, "bos_token_id: 6, but there are 6 tokens"},
      {[](GgufVocabulary& v) { v.eos_id = -1; }, "eos_token_id: -1"},
      {[](GgufVocabulary& v) { v.merges = {"ab"}; }, "merges[0]: \"ab\", expected"},
      {[](GgufVocabulary& v) { v.merges = {"a b"}; }, "merges[0]: \"ab\" is not in the vocabulary"},
      {[](GgufVocabulary& v) { v.tokens[1] = "a"; }, "\"a\" is listed twice"},
      {[](GgufVocabulary& v) { v.tokens[1] = "\xFF"; }, "token 1 is not valid UTF-8"}};
  for (const Case& entry : cases) {
    GgufVocabulary vocabulary = byte_level();
    entry.change(vocabulary);
    const auto result = Tokenizer::from_gguf(std::move(vocabulary), "m.gguf");
    ASSERT_FALSE(result.ok()) << entry.message;
    EXPECT_TRUE(result.error().message.starts_with("m.gguf: ")) << result.error().message;
    EXPECT_NE(result.error().message.find(entry.message), std::string::npos)
        << result.error().message;
  }
  GgufVocabulary no_scores = sentencepiece();
  no_scores.scores.clear();
  EXPECT_FALSE(Tokenizer::from_gguf(std::move(no_scores), "m.gguf").ok());
  GgufVocabulary bad_score = sentencepiece();
  bad_score.scores[3] = std::nanf("");
  EXPECT_FALSE(Tokenizer::from_gguf(std::move(bad_score), "m.gguf").ok());
}

TEST(PreTokenizerNames, AllPatternsCompile) {
  for (const char* name :
       {"default", "gpt-2",      "phi-2",     "mpt",       "olmo",           "jais",
        "smollm",  "starcoder",  "refact",    "command-r", "codeshell",      "exaone",
        "falcon",  "llama-bpe",  "llama3",    "falcon3",   "pixtral",        "dbrx",
        "qwen2",   "qwen35",     "stablelm2", "hunyuan",   "tekken",         "gpt-4o",
        "llama4",  "seed-coder", "glm4",      "megrez",    "deepseek-coder", "deepseek-v3",
        "exaone4", "minerva-7b", "trillion",  "smaug-bpe", "chatglm-bpe",    "deepseek-r1-qwen"}) {
    TokenizerParts parts;
    EXPECT_TRUE(add_pre_tokenizer(name, "test", parts).ok()) << name;
    EXPECT_FALSE(parts.pre_tokenizers.empty()) << name;
  }
}

}  // namespace
}  // namespace forge::text
