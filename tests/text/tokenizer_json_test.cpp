// Reference: the `tokenizers` package 0.23 on the same files, and the refusals that tokenizer.h
// promises.
#include <gtest/gtest.h>

#include <functional>

#include "forge/text/tokenizer.h"
#include "tests/temporary_folder.h"

namespace forge::text {
namespace {

using Ids = std::vector<int32_t>;

// A tokenizer.json of which single members can be replaced.
struct JsonFile {
  std::string added = "[]";
  std::string normalizer = "null";
  std::string pre_tokenizer = "null";
  std::string post_processor = "null";
  std::string decoder = "null";
  std::string model_rest = R"("dropout": null, "unk_token": null, "fuse_unk": false)";
  std::string vocab = R"({"a": 0, "b": 1, "ab": 2, " ": 3, "<unk>": 4, "c": 5})";
  std::string merges = R"(["a b"])";
  std::string type = R"("BPE")";

  [[nodiscard]] std::string text() const {
    return R"({"version": "1.0", "truncation": null, "padding": null, "added_tokens": )" + added +
           R"(, "normalizer": )" + normalizer + R"(, "pre_tokenizer": )" + pre_tokenizer +
           R"(, "post_processor": )" + post_processor + R"(, "decoder": )" + decoder +
           R"(, "model": {"type": )" + type + ", " + model_rest + R"(, "vocab": )" + vocab +
           R"(, "merges": )" + merges + "}}";
  }
};

Result<Tokenizer> load(const JsonFile& file, std::string_view config = "") {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", file.text());
  if (!config.empty()) folder.write("tokenizer_config.json", config);
  return Tokenizer::load_folder(folder.path());
}

std::string error_of(const JsonFile& file, std::string_view config = "") {
  const auto result = load(file, config);
  if (result.ok()) return "no error";
  const std::string& message = result.error().message;
  const size_t name = message.find("tokenizer");
  return name == std::string::npos ? message : message.substr(name);
}

constexpr const char* kAdded = R"([{"id": 6, "content": "<s>", "special": true, "normalized": false,
  "single_word": false, "lstrip": false, "rstrip": false}])";

TEST(TokenizerJson, UnknownCharacters) {
  JsonFile file;
  // Without unk_token they vanish, and what stood around them may merge.
  EXPECT_EQ(load(file)->encode("ab a?b z"), (Ids{2, 3, 2, 3}));
  file.model_rest = R"("unk_token": "<unk>", "fuse_unk": false)";
  EXPECT_EQ(load(file)->encode("a??b"), (Ids{0, 4, 4, 1}));
  file.model_rest = R"("unk_token": "<unk>", "fuse_unk": true)";
  EXPECT_EQ(load(file)->encode("a??b\u00e9\u00e9"), (Ids{0, 4, 1, 4}));
}

TEST(TokenizerJson, ByteFallbackNeedsAllBytesOfACharacter) {
  JsonFile file;
  file.vocab = R"({"a": 0, "<unk>": 1, "<0xC3>": 2, "<0xA9>": 3})";
  file.merges = "[]";
  file.model_rest = R"("unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true)";
  EXPECT_EQ(load(file)->encode("a\u00e9"), (Ids{0, 2, 3}));
  EXPECT_EQ(load(file)->encode("a\u00ea"), (Ids{0, 1}));
  // The library lets byte tokens overtake an unknown one that waits to be fused.
  EXPECT_EQ(load(file)->encode("\u00ea\u00e9"), (Ids{2, 3, 1}));
}

TEST(TokenizerJson, MergesAsStringsOrPairsAndIgnoreMerges) {
  JsonFile file;
  file.merges = R"([["a", "b"]])";
  EXPECT_EQ(load(file)->encode("ab"), (Ids{2}));
  file.merges = R"([["a", "b"], ["ab", " "]])";
  EXPECT_NE(error_of(file).find("model.merges[1]: \"ab \" is not in the vocabulary"),
            std::string::npos);
  file.vocab = R"({"a": 0, "b": 1, "ab": 2, "ba": 3})";
  file.merges = R"(["a b"])";
  EXPECT_EQ(load(file)->encode("ba"), (Ids{1, 0}));
  file.model_rest = R"("ignore_merges": true)";
  EXPECT_EQ(load(file)->encode("ba"), (Ids{3}));
}

TEST(TokenizerJson, SpecialTokensAreAddedParsedAndSkipped) {
  JsonFile file;
  file.added = kAdded;
  file.post_processor = R"({"type": "Sequence", "processors": [{"type": "ByteLevel"},
    {"type": "TemplateProcessing",
     "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
     "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [6], "tokens": ["<s>"]}}}]})";
  const auto tokenizer = load(file, R"({"bos_token": {"content": "<s>"}, "eos_token": "ab"})");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("a<s>b"), (Ids{6, 0, 6, 1}));
  EXPECT_EQ(tokenizer->encode(""), (Ids{6}));
  EXPECT_EQ(tokenizer->encode("a<s>b", {.add_special = false, .parse_special = true}),
            (Ids{0, 6, 1}));
  EXPECT_EQ(tokenizer->encode("a<s>b", {.add_special = false, .parse_special = false}), (Ids{2}));
  EXPECT_EQ(tokenizer->decode(Ids{6, 0, 2, 99, -1}), "<s> a ab");
  EXPECT_EQ(tokenizer->decode(Ids{6, 0, 2}, {.skip_special = true}), "a ab");
  EXPECT_TRUE(tokenizer->is_special(6));
  EXPECT_FALSE(tokenizer->is_special(0));
  EXPECT_FALSE(tokenizer->is_special(1000));
  EXPECT_EQ(tokenizer->bos_id(), 6);
  EXPECT_EQ(tokenizer->eos_id(), 2);
  EXPECT_EQ(tokenizer->vocab_size(), 7);
  EXPECT_EQ(tokenizer->piece(2), "ab");
  EXPECT_EQ(tokenizer->piece(-5), "");
  EXPECT_EQ(tokenizer->id_of("ab"), 2);
  EXPECT_EQ(tokenizer->id_of("zz"), std::nullopt);
  EXPECT_EQ(tokenizer->token_bytes(6), "<s>");
}

// A later byte-level stage works on spelt bytes (falcon's layout): "\u00b2" is the byte 0xB2 there,
// which Digits then splits off.
TEST(TokenizerJson, StagesAfterByteLevelSeeTheAlphabet) {
  JsonFile file;
  file.vocab = R"({"\u00c2": 0, "\u00b2": 1, "\u00c2\u00b2": 2, "x": 3})";
  file.merges = R"(["\u00c2 \u00b2"])";
  file.pre_tokenizer = R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false})";
  EXPECT_EQ(load(file)->encode("\u00b2"), (Ids{2}));
  file.pre_tokenizer = R"({"type": "Sequence", "pretokenizers": [
    {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}, {"type": "Digits"}]})";
  EXPECT_EQ(load(file)->encode("\u00b2"), (Ids{0, 1}));
}

TEST(TokenizerJson, MetaspaceFirstKnowsTheTextsStart) {
  JsonFile file;
  file.vocab = R"({"\u2581": 0, "a": 1, "b": 2})";
  file.merges = "[]";
  file.added = R"([{"id": 3, "content": "<s>", "special": true, "normalized": false}])";
  file.pre_tokenizer = R"({"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first",
                           "split": false})";
  EXPECT_EQ(load(file)->encode("a<s>b"), (Ids{0, 1, 3, 2}));
  EXPECT_EQ(load(file)->encode("<s>b"), (Ids{3, 2}));
  file.pre_tokenizer =
      R"({"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": true})";
  EXPECT_EQ(load(file)->encode("a<s>b"), (Ids{0, 1, 3, 0, 2}));
}

TEST(TokenizerJson, TokensOnlyInTheConfigAreAdded) {
  const auto tokenizer =
      load({}, R"({"added_tokens_decoder": {"6": {"content": "<t>", "special": true},
      "0": {"content": "a", "special": false}}, "chat_template": [
      {"name": "tool", "template": "T"}, {"name": "default", "template": "D"}]})");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("a<t>"), (Ids{0, 6}));
  EXPECT_EQ(tokenizer->chat_template(), "D");
}

TEST(TokenizerJson, ChatTemplateFileComesFirst) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", JsonFile().text());
  folder.write("tokenizer_config.json", R"({"chat_template": "config"})");
  EXPECT_EQ(Tokenizer::load_folder(folder.path())->chat_template(), "config");
  folder.write("chat_template.jinja", "file");
  EXPECT_EQ(Tokenizer::load_folder(folder.path())->chat_template(), "file");
}

TEST(TokenizerJson, InvalidUtf8IsReplaced) {
  JsonFile file;
  file.vocab = R"({"a": 0, "\ufffd": 1})";
  file.merges = "[]";
  EXPECT_EQ(load(file)->encode("a\xE2\x82"
                               "a\xFF\xFF"),
            (Ids{0, 1, 0, 1, 1}));
}

// Each change of a good file, and what the error must name.
TEST(TokenizerJson, RefusesByNameAndPlace) {
  struct Case {
    std::function<void(JsonFile&)> change;
    const char* message;
  };
  const Case cases[] = {
      {[](JsonFile& f) { f.type = R"("Unigram")"; }, "model.type: \"Unigram\" is not supported"},
      {[](JsonFile& f) { f.type = R"("WordPiece")"; },
       "model.type: \"WordPiece\" is not supported"},
      {[](JsonFile& f) { f.type = "3"; }, "model.type: a number, expected a string"},
      {[](JsonFile& f) { f.vocab = "[1]"; }, "model.vocab: an array, expected an object"},
      {[](JsonFile& f) { f.vocab = R"({"a": "0"})"; }, "expected a token id"},
      {[](JsonFile& f) { f.vocab = R"({"a": -1})"; }, "id -1, expected 0 to"},
      {[](JsonFile& f) { f.vocab = R"({"a": 99999999999})"; }, "id 99999999999, expected 0 to"},
      {[](JsonFile& f) { f.vocab = R"({"a": 0, "b": 0})"; }, "id 0 for both \"a\" and \"b\""},
      {[](JsonFile& f) { f.vocab = R"({"a": 0, "a": 1})"; }, "\"a\" is listed twice"},
      {[](JsonFile& f) { f.merges = "{}"; }, "model.merges: an object, expected an array"},
      {[](JsonFile& f) { f.merges = R"(["ab"])"; }, "model.merges[0]: \"ab\", expected"},
      {[](JsonFile& f) { f.merges = R"(["a b c"])"; }, "model.merges[0]"},
      {[](JsonFile& f) { f.merges = R"([["a", 1]])"; }, "model.merges[0]"},
      {[](JsonFile& f) { f.merges = R"(["b a"])"; }, "model.merges[0]: \"ba\" is not in the"},
      {[](JsonFile& f) { f.model_rest = R"("dropout": 0.1)"; }, "model.dropout: 0.1"},
      {[](JsonFile& f) { f.model_rest = R"("end_of_word_suffix": "</w>")"; },
       "model.end_of_word_suffix: \"</w>\" is not supported"},
      {[](JsonFile& f) { f.model_rest = R"("continuing_subword_prefix": "##")"; },
       "model.continuing_subword_prefix"},
      {[](JsonFile& f) { f.model_rest = R"("unk_token": "<q>")"; }, "model.unk_token: \"<q>\""},
      {[](JsonFile& f) { f.model_rest = R"("byte_fallback": 1)"; },
       "model.byte_fallback: a number"},
      {[](JsonFile& f) { f.normalizer = R"({"type": "Precompiled"})"; },
       "normalizer: type \"Precompiled\" is not supported"},
      {[](JsonFile& f) { f.normalizer = R"([])"; }, "normalizer: an array, expected an object"},
      {[](JsonFile& f) {
         f.normalizer = R"({"type": "Sequence", "normalizers": [{"type": "Nmt"}]})";
       },
       "normalizer.normalizers[0]: type \"Nmt\" is not supported"},
      {[](JsonFile& f) { f.normalizer = R"({"type": "Replace", "pattern": {"String": ""}})"; },
       "normalizer.pattern"},
      {[](JsonFile& f) {
         f.normalizer = R"({"type": "Replace", "pattern": {"Regex": "("},
                                           "content": ""})";
       },
       "normalizer.pattern: regex \"(\""},
      {[](JsonFile& f) { f.pre_tokenizer = R"({"type": "BertPreTokenizer"})"; },
       "pre_tokenizer: type \"BertPreTokenizer\" is not supported"},
      {[](JsonFile& f) {
         f.pre_tokenizer = R"({"type": "Split", "pattern": {"String": "a"},
                                              "behavior": "Odd"})";
       },
       "pre_tokenizer.behavior: \"Odd\""},
      {[](JsonFile& f) { f.pre_tokenizer = R"({"type": "ByteLevel"})"; },
       "pre_tokenizer.add_prefix_space: nothing, expected a boolean"},
      {[](JsonFile& f) { f.pre_tokenizer = R"({"type": "Metaspace", "replacement": "ab"})"; },
       "pre_tokenizer.replacement: \"ab\", expected one character"},
      {[](JsonFile& f) { f.post_processor = R"({"type": "Odd"})"; },
       "post_processor: type \"Odd\" is not supported"},
      {[](JsonFile& f) { f.post_processor = R"({"type": "TemplateProcessing", "single": []})"; },
       "post_processor.single: Sequence A 0 times"},
      {[](JsonFile& f) {
         f.post_processor = R"({"type": "RobertaProcessing", "sep": ["a", 77],
                                               "cls": ["a", 0]})";
       },
       "post_processor: id 77, expected 0 to 5"},
      {[](JsonFile& f) { f.decoder = R"({"type": "WordPiece"})"; },
       "decoder: type \"WordPiece\" is not supported"},
      {[](JsonFile& f) {
         f.decoder = R"({"type": "Strip", "content": " ", "start": -1, "stop": 0})";
       },
       "decoder.start: -1"},
      {[](JsonFile& f) { f.added = R"({})"; }, "added_tokens: an object, expected an array"},
      {[](JsonFile& f) { f.added = R"([{"id": 9, "content": "<s>"}])"; },
       "added_tokens[0].id: 9 for \"<s>\", expected 6 (the next free id)"},
      {[](JsonFile& f) { f.added = R"([{"id": 5, "content": "ab"}])"; },
       "added_tokens[0].id: 5 for \"ab\", expected 2 (its id in the vocabulary)"},
      {[](JsonFile& f) { f.added = R"([{"id": 2, "content": "ab"}, {"id": 2, "content": "ab"}])"; },
       "added_tokens[1]: \"ab\" is listed twice"},
      {[](JsonFile& f) { f.added = R"([{"id": 1e9, "content": "ab"}])"; }, "added_tokens[0].id"},
      {[](JsonFile& f) { f.added = R"([7])"; }, "added_tokens[0].id: nothing"}};
  for (const Case& entry : cases) {
    JsonFile file;
    entry.change(file);
    const std::string message = error_of(file);
    EXPECT_NE(message.find(entry.message), std::string::npos)
        << message << "\n  not: " << entry.message;
  }
}

TEST(TokenizerJson, RefusesBadConfigs) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"bos_token": 3})", "bos_token: a number"},
      {R"({"bos_token": "<nope>"})", "bos_token \"<nope>\" is not in the vocabulary"},
      {R"({"add_bos_token": "yes"})", "add_bos_token: a string, expected a boolean or null"},
      {R"({"added_tokens_decoder": {"x": {"content": "q"}}})", "key \"x\", expected a token id"},
      {R"({"added_tokens_decoder": {"99999999": {"content": "q"}}})", "key \"99999999\""},
      {R"({"added_tokens_decoder": {"0": {"content": "q"}}})", "id 0 for both"},
      {R"({"chat_template": 3})", "chat_template: a number"},
      {R"([])", "an array, expected an object"},
      {R"({)", "line 1"}};
  for (const auto& entry : cases) {
    const std::string message = error_of({}, entry.first);
    EXPECT_NE(message.find(entry.second), std::string::npos)
        << message << "\n  not: " << entry.second;
  }
}

// Every prefix of a small good file is refused, and nothing reads past its end (run under ASan).
TEST(TokenizerJson, EveryTruncationIsRefused) {
  JsonFile file;
  file.added = kAdded;
  const std::string whole = file.text();
  const TemporaryFolder folder;
  for (size_t size = 0; size < whole.size(); ++size) {
    folder.write("tokenizer.json", std::string_view(whole).substr(0, size));
    EXPECT_FALSE(Tokenizer::load_folder(folder.path()).ok()) << size;
  }
}

// Any changed byte gives a tokenizer that works or an error, never a crash (run under ASan).
TEST(TokenizerJson, ChangedBytesDoNoHarm) {
  JsonFile file;
  file.added = kAdded;
  file.normalizer = R"({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})";
  file.pre_tokenizer = R"({"type": "Metaspace", "replacement": " ", "prepend_scheme": "first"})";
  file.decoder = R"({"type": "Strip", "content": " ", "start": 1, "stop": 0})";
  const std::string whole = file.text();
  const TemporaryFolder folder;
  int loaded = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int change : {0x01, 0x10, 0x80}) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ change);
      folder.write("tokenizer.json", bytes);
      const auto tokenizer = Tokenizer::load_folder(folder.path());
      if (!tokenizer.ok()) continue;
      ++loaded;
      const Ids ids = tokenizer->encode("ab <s>  c \u00e9");
      (void)tokenizer->decode(ids);
    }
  }
  EXPECT_GT(loaded, 0);
  EXPECT_LT(loaded, static_cast<int>(3 * whole.size()));
}

TEST(TokenizerFolder, RefusesWhatIsNotThere) {
  const TemporaryFolder folder;
  const auto empty = Tokenizer::load_folder(folder.path());
  ASSERT_FALSE(empty.ok());
  EXPECT_NE(empty.error().message.find("no tokenizer"), std::string::npos);
  EXPECT_FALSE(Tokenizer::load_folder(folder.path() + "/nowhere").ok());
}

}  // namespace
}  // namespace forge::text
