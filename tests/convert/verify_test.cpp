// Trusts: what was done to each file, which the check that is meant to find it must name.
#include "forge/convert/verify.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "forge/convert/source.h"
#include "tests/convert/tiny_checkpoint.h"

namespace forge::convert {
namespace {

std::string stories_gguf() { return std::string(FORGE_SOURCE_DIR) + "/models/forge-stories.gguf"; }

/// The outcome of one check, "ok" or what it says.
std::string outcome(const VerifyResult& result, std::string_view name) {
  for (const Check& check : result.checks) {
    if (check.name != name) continue;
    if (check.outcome == Check::Outcome::kOk) return "ok";
    return check.outcome == Check::Outcome::kFailed ? check.detail : "not checked";
  }
  return "no such check";
}

void expect_failure(const std::string& path, std::string_view check, std::string_view reason,
                    const VerifyOptions& options = {}) {
  const VerifyResult result = verify(path, options);
  EXPECT_FALSE(result.is_ok());
  EXPECT_NE(outcome(result, check).find(reason), std::string::npos) << outcome(result, check);
}

/// The bundled model with some of its keys and tensors replaced or left out.
class Changed {
 public:
  Changed()
      : source_(open_source({engine::ModelSource::Kind::kGgufFile, stories_gguf()}).value()) {}

  formats::GgufWriter& writer() { return source_.metadata; }
  /// The file's metadata without a key, for those that put their own.
  void drop(std::string_view key) {
    formats::GgufWriter writer;
    for (const auto& [name, value] : source_.model->gguf->metadata()) {
      if (name != key) writer.put_value(name, value);
    }
    source_.metadata = std::move(writer);
  }
  std::string write(const TemporaryFolder& folder, std::string_view without = "") {
    formats::GgufWriter writer = source_.metadata;
    for (const SourceTensor& tensor : source_.tensors) {
      if (tensor.name != without) writer.add_tensor(tensor.name, tensor.view);
    }
    const std::string path = folder.path("changed.gguf");
    EXPECT_TRUE(writer.write(path).ok());
    return path;
  }
  [[nodiscard]] int64_t offset_of(const std::string& tensor) const {
    const formats::TensorSet& tensors = source_.model->tensor_set();
    return tensors.find(tensor)->view.data - tensors.mappings().front().bytes().data();
  }

 private:
  Source source_;
};

TEST(Verify, whole_files_are_ok) {
  const TemporaryFolder folder;
  for (const std::string& path :
       {stories_gguf(), std::string(FORGE_SOURCE_DIR) + "/models/forge-stories",
        Changed().write(folder), tiny_checkpoint(folder, "phi3_longrope")}) {
    const VerifyResult result = verify(path, {.n_threads = 3});
    EXPECT_TRUE(result.is_ok()) << path;
    for (const Check& check : result.checks) {
      EXPECT_EQ(check.outcome, Check::Outcome::kOk) << check.name << ": " << check.detail;
    }
    EXPECT_EQ(result.checks.size(), 7u);
  }
}

TEST(Verify, a_cut_file_fails_in_its_structure_and_still_has_a_hash) {
  const TemporaryFolder folder;
  const std::string bytes = read_file(stories_gguf());
  const std::string path = folder.write("cut.gguf", bytes.substr(0, bytes.size() - 1));
  expect_failure(path, "structure", path);
  const VerifyResult result = verify(path, {});
  EXPECT_EQ(outcome(result, "values"), "not checked");
  EXPECT_EQ(outcome(result, "sha256"), "ok");
}

TEST(Verify, bytes_behind_the_last_tensor) {
  const TemporaryFolder folder;
  expect_failure(folder.write("long.gguf", read_file(stories_gguf()) + std::string(5000, 'x')),
                 "structure", "5000 bytes follow the last tensor");
}

TEST(Verify, a_scale_that_is_no_number) {
  const TemporaryFolder folder;
  const Changed model;
  std::string bytes = read_file(stories_gguf());
  // Q8_0: block 3 of 34 bytes of a row of 256 elements, 8 blocks.
  const auto at = static_cast<size_t>(model.offset_of("blk.3.ffn_up.weight") + (8 * 12 + 3) * 34);
  bytes[at] = '\0';
  bytes[at + 1] = '\x7c';
  expect_failure(folder.write("nan.gguf", bytes), "values",
                 "tensor \"blk.3.ffn_up.weight\": the block at [12, 96] (Q8_0)");
}

TEST(Verify, a_tensor_missing_or_too_many) {
  const TemporaryFolder folder;
  expect_failure(Changed().write(folder, "blk.2.attn_k.weight"), "tensors",
                 "\"blk.2.attn_k.weight\" is missing");
  Changed more;
  const float value[2] = {1.0f, 2.0f};
  more.writer().add_tensor("blk.0.unknown.weight",
                           {DType::kF32, Shape{2}, std::as_bytes(std::span(value)).data()});
  expect_failure(more.write(folder), "tensors", "\"blk.0.unknown.weight\" [2]: unexpected");
}

TEST(Verify, a_config_of_another_model) {
  const TemporaryFolder folder;
  Changed model;
  model.drop("llama.block_count");
  model.writer().put_uint32("llama.block_count", 6);
  expect_failure(model.write(folder), "tensors", "blk.5.");
  Changed unknown;
  unknown.writer().put_uint32("llama.attention.something", 1);
  expect_failure(unknown.write(folder), "architecture", "llama.attention.something");
}

TEST(Verify, a_vocabulary_that_does_not_fit) {
  const TemporaryFolder folder;
  Changed eos;
  eos.drop("tokenizer.ggml.eos_token_id");
  eos.writer().put_uint32("tokenizer.ggml.eos_token_id", 2048);
  expect_failure(eos.write(folder), "tokenizer", "eos_token_id: 2048, but there are 2048 tokens");
  // Of a folder: a tokenizer with more ids than rows.
  const std::string path = tiny_checkpoint(folder, "llama");
  std::string json = tiny_tokenizer_json();
  json.replace(json.find("\"<|end|>\":100"), 13, "\"<|end|>\":300");
  json.replace(json.find("\"id\":100"), 8, "\"id\":300");
  (void)folder.write("llama/tokenizer.json", json);
  expect_failure(path, "tokenizer", "the tokenizer has 301 tokens, the model only 192 embeddings");
}

TEST(Verify, a_chat_template_that_does_not_parse_or_forgets_the_user) {
  const TemporaryFolder folder;
  for (const char* source : {"{% if %}", "{{ bos_token }}"}) {
    Changed model;
    model.writer().put_string("tokenizer.chat_template", source);
    expect_failure(model.write(folder), "chat template", "chat template");
  }
}

TEST(Verify, the_hash_in_a_blob_s_name) {
  const TemporaryFolder folder;
  const VerifyResult result = verify(stories_gguf(), {});
  const std::string hash = result.checks.back().detail.substr(0, 64);
  const std::string bytes = read_file(stories_gguf());
  const std::string right = folder.write("blobs/" + hash, bytes);
  std::filesystem::create_symlink(right, folder.path("model.gguf"));
  const VerifyResult again = verify(folder.path("model.gguf"), {});
  EXPECT_NE(again.checks.back().detail.find("as expected"), std::string::npos);
  (void)folder.write("blobs/" + hash, bytes.substr(0, bytes.size() - 1) + "x");
  expect_failure(folder.path("model.gguf"), "sha256", "expected " + hash);
}

TEST(Verify, can_be_ended) {
  VerifyOptions options;
  options.on_progress = [](int64_t, int64_t) { return false; };
  const VerifyResult result = verify(stories_gguf(), options);
  EXPECT_FALSE(result.is_complete);
  EXPECT_FALSE(result.is_ok());
}

}  // namespace
}  // namespace forge::convert
