// Reference: ids that llama.cpp published for its vocabularies, and further ids from its tokenizer
// (tokenizer_vectors in the shared test data; its SOURCES.md says how they were made).
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <sstream>

#include "forge/base/json.h"
#include "forge/base/utf8.h"
#include "forge/text/tokenizer.h"
#include "tests/test_data.h"
#include "tests/text/gguf_vocabulary_reader.h"
#include "tests/text/unpack.h"

namespace forge::text {
namespace {

using Ids = std::vector<int32_t>;

/// Where a tokenizer's files are, and which vectors are for it.
struct VectorCase {
  const char* name;
  const char* folder;     // below tokenizers/ (or models/ with a slash); files are unpacked
  const char* file;       // the one file to take ("" for all); for GGUF the vocabulary
  const char* as;         // the name it gets
  const char* published;  // below tokenizer_vectors/llama_cpp, or ""
  const char* extra;      // below tokenizer_vectors/extra, or ""
};

std::ostream& operator<<(std::ostream& out, const VectorCase& entry) { return out << entry.name; }

Result<Tokenizer> load_gguf(const std::string& path) {
  const std::string bytes = read_file(path);
  return Tokenizer::from_gguf(GgufVocabularyReader(bytes).read(), path);
}

Result<Tokenizer> load(const VectorCase& entry) {
  const std::string source = test_data_dir() + "/" + entry.folder;
  const TemporaryFolder folder;
  if (*entry.file != '\0') {
    take(folder, source + "/" + entry.file, entry.as);
  } else {
    for (const auto& file : std::filesystem::directory_iterator(source)) {
      std::string name = file.path().filename().string();
      if (name.ends_with(".gz")) name.resize(name.size() - 3);
      take(folder, file.path().string(), name);
    }
  }
  if (std::string_view(entry.as) == "vocabulary.gguf") {
    return load_gguf(folder.path() + "/vocabulary.gguf");
  }
  return Tokenizer::load_folder(folder.path());
}

std::vector<std::string> strings_of(json::Value list) {
  std::vector<std::string> strings;
  for (size_t i = 0; i < list.size(); ++i) strings.emplace_back(*list.at(i).as_string());
  return strings;
}

Ids ids_of(json::Value list) {
  Ids ids;
  for (size_t i = 0; i < list.size(); ++i)
    ids.push_back(static_cast<int32_t>(*list.at(i).as_int()));
  return ids;
}

// Encoding, and that streaming gives what decoding gives; valid pieces on the way.
void check(const Tokenizer& tokenizer, const std::string& text, const Ids& expected,
           bool parse_special) {
  const Ids ids = tokenizer.encode(text, {.add_special = false, .parse_special = parse_special});
  EXPECT_EQ(ids, expected) << "text \"" << text << "\"";
  Detokenizer detokenizer(tokenizer);
  std::string streamed;
  for (const int32_t id : ids) {
    const std::string piece = detokenizer.add(id);
    EXPECT_EQ(find_invalid_utf8(piece), std::nullopt);
    streamed += piece;
  }
  streamed += detokenizer.flush();
  EXPECT_EQ(streamed, tokenizer.decode(ids)) << "text \"" << text << "\"";
}

void check_published(const Tokenizer& tokenizer, const std::string& name) {
  const std::string folder = test_data_dir() + "/tokenizer_vectors/llama_cpp/";
  const auto document = json::Document::load(folder + "strings.json");
  ASSERT_TRUE(document.ok());
  const std::vector<std::string> strings = strings_of(document->root());
  std::istringstream lines(read_file(folder + name));
  std::string line;
  size_t i = 0;
  for (; std::getline(lines, line) && i < strings.size(); ++i) {
    std::istringstream numbers(line);
    Ids expected;
    for (int32_t id = 0; numbers >> id;) expected.push_back(id);
    check(tokenizer, strings[i], expected, false);
  }
  EXPECT_EQ(i, strings.size());
}

void check_extra(const Tokenizer& tokenizer, const std::string& name) {
  const std::string folder = test_data_dir() + "/tokenizer_vectors/extra/";
  const auto strings = json::Document::load(folder + "strings.json");
  const auto vectors = json::Document::load(folder + name);
  ASSERT_TRUE(strings.ok() && vectors.ok());
  const bool is_list = strings->root().is_array();
  const std::vector<std::string> plain =
      strings_of(is_list ? strings->root() : strings->root().find("plain"));
  const json::Value ids = vectors->root().find("plain").find("ids");
  ASSERT_EQ(ids.size(), plain.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    check(tokenizer, plain[i], ids_of(ids.at(i)),
          *vectors->root().find("plain").find("parse_special").as_bool());
  }
}

class Vectors : public ::testing::TestWithParam<VectorCase> {};

TEST_P(Vectors, AreMet) {
  const VectorCase& entry = GetParam();
  FORGE_REQUIRE_DATA(source, entry.folder);
  const auto tokenizer = load(entry);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  if (*entry.published != '\0') check_published(*tokenizer, entry.published);
  if (*entry.extra != '\0') check_extra(*tokenizer, entry.extra);
}

// Random ids, among them broken characters: pieces stay whole and add up.
TEST_P(Vectors, StreamingRandomIdsAddsUp) {
  const VectorCase& entry = GetParam();
  FORGE_REQUIRE_DATA(source, entry.folder);
  const auto tokenizer = load(entry);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    const DecodeOptions options{.skip_special = round % 2 == 0};
    Detokenizer detokenizer(*tokenizer, options);
    Ids ids;
    std::string streamed;
    for (auto i = random() % 40; i > 0; --i) {
      // Small ids are single bytes in most vocabularies.
      const uint32_t range =
          random() % 2 == 0 ? 300 : static_cast<uint32_t>(tokenizer->vocab_size());
      ids.push_back(static_cast<int32_t>(random() % range) - (i == 7 ? 1 : 0));
      const std::string piece = detokenizer.add(ids.back());
      EXPECT_EQ(find_invalid_utf8(piece), std::nullopt);
      streamed += piece;
    }
    streamed += detokenizer.flush();
    EXPECT_EQ(streamed, tokenizer->decode(ids, options));
  }
}

constexpr const char* kGguf = "tokenizers/gguf_vocab";
constexpr const char* kAs = "vocabulary.gguf";

INSTANTIATE_TEST_SUITE_P(
    All, Vectors,
    ::testing::Values(
        VectorCase{"gguf_llama_spm", kGguf, "ggml-vocab-llama-spm.gguf.gz", kAs,
                   "ggml-vocab-llama-spm.gguf.out", "llama-2.json"},
        VectorCase{"gguf_llama_bpe", kGguf, "ggml-vocab-llama-bpe.gguf.gz", kAs,
                   "ggml-vocab-llama-bpe.gguf.out", "llama-3.json"},
        VectorCase{"gguf_qwen2", kGguf, "ggml-vocab-qwen2.gguf.gz", kAs,
                   "ggml-vocab-qwen2.gguf.out", "qwen2.5.json"},
        VectorCase{"gguf_gpt_2", kGguf, "ggml-vocab-gpt-2.gguf.gz", kAs, "", "gpt2.json"},
        VectorCase{"gguf_deepseek_coder", kGguf, "ggml-vocab-deepseek-coder.gguf.gz", kAs,
                   "ggml-vocab-deepseek-coder.gguf.out", "deepseek-coder.json"},
        VectorCase{"gguf_mpt", kGguf, "ggml-vocab-mpt.gguf.gz", kAs, "ggml-vocab-mpt.gguf.out", ""},
        VectorCase{"gguf_refact", kGguf, "ggml-vocab-refact.gguf.gz", kAs,
                   "ggml-vocab-refact.gguf.out", ""},
        VectorCase{"model_llama_2", "tokenizers/llama-2", "tokenizer.model", "tokenizer.model",
                   "ggml-vocab-llama-spm.gguf.out", "llama-2.json"},
        VectorCase{"model_llama_3", "tokenizers/llama-3", "tokenizer.model.gz", "tokenizer.model",
                   "ggml-vocab-llama-bpe.gguf.out", "llama-3.json"},
        VectorCase{"model_mistral_v3", "tokenizers/mistral",
                   "mistral_instruct_tokenizer_240323.model.v3", "tokenizer.model", "",
                   "mistral-v3.json"},
        VectorCase{"model_tinyllamas", "models/stories260K/hf", "tokenizer.model",
                   "tokenizer.model", "", "tinyllamas-tok512.json"},
        VectorCase{"json_qwen2_5", "tokenizers/qwen2.5", "", "", "ggml-vocab-qwen2.gguf.out",
                   "qwen2.5.json"},
        VectorCase{"json_smollm", "tokenizers/smollm", "", "", "", "smollm.json"},
        VectorCase{"json_falcon", "tokenizers/falcon", "", "", "", "falcon.json"},
        VectorCase{"json_phi_3_mini", "tokenizers/phi-3-mini", "", "", "", "phi-3-mini.json"},
        VectorCase{"files_gpt2", "tokenizers/gpt2", "", "", "", "gpt2.json"}),
    [](const auto& test) { return std::string(test.param.name); });

// The same vocabulary from vocab.json and merges.txt as from tokenizer.json.
TEST(VocabAndMerges, Qwen2EqualsItsTokenizerJson) {
  FORGE_REQUIRE_DATA(source, "tokenizers/qwen2.5");
  const TemporaryFolder whole;
  const TemporaryFolder parts;
  take(whole, source + "/tokenizer.json.gz", "tokenizer.json");
  take(parts, source + "/vocab.json.gz", "vocab.json");
  take(parts, source + "/merges.txt.gz", "merges.txt");
  for (const TemporaryFolder* folder : {&whole, &parts}) {
    take(*folder, source + "/tokenizer_config.json", "tokenizer_config.json");
  }
  const auto a = Tokenizer::load_folder(whole.path());
  const auto b = Tokenizer::load_folder(parts.path());
  ASSERT_TRUE(a.ok()) << a.error().message;
  ASSERT_TRUE(b.ok()) << b.error().message;
  EXPECT_EQ(a->vocab_size(), b->vocab_size());
  EXPECT_EQ(a->eos_id(), b->eos_id());
  for (const char* text : {"<|im_start|>user\nHe'll say 123 \u00e9<|im_end|>", "cafe\u0301  \n\n x",
                           "<tool_call>{\"a\": 1}</tool_call>"}) {
    EXPECT_EQ(a->encode(text), b->encode(text)) << text;
  }
}

}  // namespace
}  // namespace forge::text
