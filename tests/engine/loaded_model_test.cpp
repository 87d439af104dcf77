// Reference: the bundled model's folder and its GGUF file against each other; hand-made
// vocabularies.
#include "forge/engine/loaded_model.h"

#include <gtest/gtest.h>

#include "forge/engine/gguf_vocabulary.h"
#include "forge/formats/gguf_writer.h"
#include "tests/engine/bundled.h"
#include "tests/temporary_folder.h"

namespace forge::engine {
namespace {

const std::string kFolder = FORGE_SOURCE_DIR "/models/forge-stories";
const std::string kGguf = FORGE_SOURCE_DIR "/models/forge-stories.gguf";

TEST(ModelSource, PathsWinOverNames) {
  EXPECT_EQ(resolve_model("")->kind, ModelSource::Kind::kBundled);
  EXPECT_EQ(resolve_model("bundled")->kind, ModelSource::Kind::kBundled);
  EXPECT_EQ(resolve_model(kFolder)->kind, ModelSource::Kind::kFolder);
  EXPECT_EQ(resolve_model(kGguf)->kind, ModelSource::Kind::kGgufFile);
}

TEST(ModelSource, SaysWhatCanBeDone) {
  const auto message = [](std::string_view name) {
    const Result<ModelSource> source = resolve_model(name);
    return source.ok() ? std::string() : source.error().message;
  };
  EXPECT_EQ(message("./nothing.gguf"),
            "./nothing.gguf: no such file or folder, expected a .gguf file or a model's folder");
  EXPECT_NE(message("org/model").find("forge pull fetches those"), std::string::npos);
  EXPECT_NE(message("/dev/null").find("neither a file nor a folder"), std::string::npos);
  EXPECT_NE(message(kFolder + "/config.json").find("give the folder it is in"), std::string::npos);
  EXPECT_NE(message(kGguf + "/inside").find("forge-stories.gguf/inside"), std::string::npos);
}

TEST(LoadedModel, FolderAndGgufAgree) {
  const Result<LoadedModel> folder = load_model(*resolve_model(kFolder));
  const Result<LoadedModel> gguf = load_model(*resolve_model(kGguf));
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  ASSERT_TRUE(gguf.ok()) << gguf.error().message;
  EXPECT_EQ(folder->name, "forge-stories");
  EXPECT_EQ(gguf->name, "forge-stories.gguf");
  EXPECT_EQ(folder->end_ids, (std::vector<int32_t>{0}));
  EXPECT_EQ(gguf->end_ids, folder->end_ids);
  const std::string text = "Once upon a time, Tom's 3 dogs said \"hi\"!\n<|endoftext|> \U0001F436";
  EXPECT_EQ(gguf->tokenizer.encode(text), folder->tokenizer.encode(text));
  EXPECT_EQ(load_tokenizer(*resolve_model(""))->encode(text), folder->tokenizer.encode(text));
  EXPECT_EQ(load_tokenizer(*resolve_model(kFolder))->encode(text), folder->tokenizer.encode(text));
}

class GgufVocabularyTest : public testing::Test {
 protected:
  Result<text::GgufVocabulary> read(const formats::GgufWriter& writer) {
    EXPECT_TRUE(writer.write(path_).ok());
    file_ = formats::GgufFile::open(path_);
    EXPECT_TRUE(file_->ok()) << file_->error().message;
    return read_gguf_vocabulary(**file_);
  }

  static formats::GgufWriter with_tokens() {
    formats::GgufWriter writer;
    const std::vector<std::string> tokens = {"a", "<|im_end|>", "<|eot_id|>", "<|end|>"};
    const std::vector<int32_t> types = {1, 3, 3, 1};
    writer.put_string("tokenizer.ggml.model", "gpt2");
    writer.put_strings("tokenizer.ggml.tokens", tokens);
    writer.put_int32s("tokenizer.ggml.token_type", types);
    return writer;
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path("vocabulary.gguf");
  std::optional<Result<formats::GgufFile>> file_;
};

TEST_F(GgufVocabularyTest, ReadsWhatTheFileNames) {
  formats::GgufWriter writer = with_tokens();
  writer.put_uint32("tokenizer.ggml.bos_token_id", 1);
  writer.put_uint32("tokenizer.ggml.eos_token_id", 0xFFFFFFFF);  // how some write "none"
  writer.put_bool("tokenizer.ggml.add_bos_token", true);
  writer.put_uint32("tokenizer.ggml.eot_token_id", 2);
  writer.put_string("tokenizer.chat_template", "{{ messages }}");
  const auto vocabulary = read(writer);
  ASSERT_TRUE(vocabulary.ok()) << vocabulary.error().message;
  EXPECT_EQ(vocabulary->tokens.size(), 4u);
  EXPECT_EQ(vocabulary->bos_id, 1);
  EXPECT_FALSE(vocabulary->eos_id.has_value());
  EXPECT_EQ(vocabulary->add_bos, true);
  EXPECT_FALSE(vocabulary->add_eos.has_value());
  EXPECT_EQ(vocabulary->end_of_generation_ids, (std::vector<int32_t>{2}));
  EXPECT_EQ(vocabulary->chat_template, "{{ messages }}");
}

TEST_F(GgufVocabularyTest, EndTokensAreFoundByNameWhereTheFileNamesNone) {
  const auto vocabulary = read(with_tokens());
  ASSERT_TRUE(vocabulary.ok());
  EXPECT_EQ(vocabulary->end_of_generation_ids,
            (std::vector<int32_t>{1, 2}));  // "<|end|>" is no control token
}

TEST_F(GgufVocabularyTest, MissingAndWrongKeysAreNamed) {
  formats::GgufWriter empty;
  empty.put_string("general.architecture", "llama");
  const auto missing = read(empty);
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("no key tokenizer.ggml.model"), std::string::npos);

  formats::GgufWriter wrong = with_tokens();
  wrong.put_string("tokenizer.ggml.bos_token_id", "one");
  const auto mistyped = read(wrong);
  ASSERT_FALSE(mistyped.ok());
  for (const std::string& part : {path_, std::string("tokenizer.ggml.bos_token_id"),
                                  std::string("one"), std::string("a token id")}) {
    EXPECT_NE(mistyped.error().message.find(part), std::string::npos) << mistyped.error().message;
  }
}

}  // namespace
}  // namespace forge::engine
