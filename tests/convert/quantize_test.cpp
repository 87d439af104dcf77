// Trusts: the loader and the reference decoder, which other tests hold against transformers, and
// encode() and decode() of tensor/.
#include "forge/convert/quantize.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <filesystem>

#include "forge/convert/output_place.h"
#include "forge/engine/compare_quality.h"
#include "forge/tensor/decode.h"
#include "forge/tensor/encode.h"
#include "tests/convert/tiny_checkpoint.h"

namespace forge::convert {
namespace {

constexpr const char* kText =
    "the sea is the end of the land and the start of a way to another; they that go there see a "
    "thing or two, and then they think of the theme again.";

Source open_or_die(const std::string& path) {
  auto source = engine::resolve_model(path);
  EXPECT_TRUE(source.ok()) << source.error().message;
  auto opened = open_source(*source);
  EXPECT_TRUE(opened.ok()) << opened.error().message;
  return std::move(opened).value();
}

Status write(const std::string& in, const std::string& out, std::string_view type,
             const QuantizeOptions& options = {}) {
  const Source source = open_or_die(in);
  FORGE_TRY(const QuantizePlan plan, plan_quantization(source, *find_mixture(type)));
  FORGE_TRY(const bool is_done, quantize(source, plan, out, options));
  return is_done ? Status() : make_error("ended");
}

void write_or_die(const std::string& in, const std::string& out, std::string_view type,
                  const QuantizeOptions& options = {}) {
  const Status status = write(in, out, type, options);
  ASSERT_TRUE(status.ok()) << status.error().message;
}

engine::LoadedModel load_or_die(const std::string& path) {
  auto loaded = engine::load_model(*engine::resolve_model(path));
  EXPECT_TRUE(loaded.ok()) << loaded.error().message;
  return std::move(loaded).value();
}

engine::QualityNumbers distance(const std::string& a, const std::string& b) {
  engine::QualityOptions options{.context_len = 32};
  options.backend_a.arithmetic = options.backend_b.arithmetic = models::Arithmetic::kReference;
  const auto result = engine::compare_quality(load_or_die(a), load_or_die(b), kText, options);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return result->numbers;
}

std::string stories() { return std::string(FORGE_SOURCE_DIR) + "/models/forge-stories"; }

class Families : public testing::TestWithParam<const char*> {};

// Names, shapes, the order of q's and k's rows, every number of the config, rotary scaling and
// tokenizer: one of them wrong makes another model. Sums in another order (rotary pairs) differ in
// the last bits.
TEST_P(Families, an_f32_file_is_the_folder_s_model) {
  const TemporaryFolder folder;
  const std::string from = tiny_checkpoint(folder, GetParam());
  const std::string to = folder.path("out.gguf");
  write_or_die(from, to, "F32");
  const engine::QualityNumbers numbers = distance(from, to);
  EXPECT_LT(numbers.max_kl, 1e-9);
  EXPECT_EQ(numbers.same_top.value, 1.0);
  EXPECT_EQ(load_or_die(from).end_ids, load_or_die(to).end_ids);
}

INSTANTIATE_TEST_SUITE_P(All, Families,
                         testing::Values("llama", "llama_bias", "llama_mha_tied", "llama_mqa",
                                         "llama_rope3", "mistral", "phi3", "phi3_longrope",
                                         "phi4_mini", "qwen2", "qwen2_yarn", "qwen3", "smollm2"),
                         [](const auto& param) { return std::string(param.param); });

TEST(Quantize, refuses_what_gguf_cannot_say) {
  const TemporaryFolder folder;
  const auto source = open_source(*engine::resolve_model(tiny_checkpoint(folder, "qwen2_windows")));
  ASSERT_FALSE(source.ok());
  EXPECT_NE(source.error().message.find("a sliding window in some layers only"), std::string::npos)
      << source.error().message;
}

TEST(Quantize, blocks_are_those_of_the_decoded_rows) {
  const TemporaryFolder folder;
  const std::string to = folder.path("out.gguf");
  write_or_die(stories(), to, "Q4_K_M");
  const Source from = open_or_die(stories());
  const auto file = formats::GgufFile::open(to);
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(from.tensors.size(), file->tensors().tensors().size());
  for (const SourceTensor& tensor : from.tensors) {
    if (tensor.n_paired_heads != 0) continue;  // the families' test has those
    const TensorView& view = file->tensors().find(tensor.name)->view;
    std::vector<float> row(static_cast<size_t>(view.columns()));
    std::vector<std::byte> blocks(static_cast<size_t>(view.bytes_per_row()));
    for (int64_t r = 0; r < view.rows(); r += 17) {
      decode_row(tensor.view, r, row.data());
      encode(view.dtype, row.data(), view.columns(), blocks.data());
      ASSERT_TRUE(std::equal(blocks.begin(), blocks.end(), view.row(r))) << tensor.name << " " << r;
    }
  }
}

TEST(Quantize, the_bytes_do_not_depend_on_the_threads) {
  const TemporaryFolder folder;
  write_or_die(stories(), folder.path("1"), "Q3_K_M", {.n_threads = 1});
  write_or_die(stories(), folder.path("5"), "Q3_K_M", {.n_threads = 5});
  EXPECT_EQ(read_file(folder.path("1")), read_file(folder.path("5")));
}

// Also: the metadata of a GGUF file is kept.
TEST(Quantize, from_gguf_is_the_same_as_from_the_folder) {
  const TemporaryFolder folder;
  write_or_die(stories(), folder.path("f32.gguf"), "F32");
  write_or_die(folder.path("f32.gguf"), folder.path("again.gguf"), "Q5_K_M");
  write_or_die(stories(), folder.path("direct.gguf"), "Q5_K_M");
  const auto again = formats::GgufFile::open(folder.path("again.gguf"));
  const auto direct = formats::GgufFile::open(folder.path("direct.gguf"));
  ASSERT_EQ(again->metadata().size(), direct->metadata().size());
  for (const auto& [key, value] : direct->metadata()) {
    const formats::GgufValue* other = again->find(key);
    ASSERT_NE(other, nullptr) << key;
    EXPECT_TRUE(std::ranges::equal(other->payload(), value.payload())) << key;
  }
  for (const formats::NamedTensor& tensor : direct->tensors().tensors()) {
    const TensorView& other = again->tensors().find(tensor.name)->view;
    ASSERT_EQ(other.dtype, tensor.view.dtype);
    EXPECT_TRUE(std::equal(other.data, other.data + other.bytes(), tensor.view.data));
  }
}

TEST(Quantize, a_split_input_gives_one_file) {
  const TemporaryFolder folder;
  const Source source = open_or_die(std::string(FORGE_SOURCE_DIR) + "/models/forge-stories.gguf");
  formats::GgufWriter writer = source.metadata;
  for (const SourceTensor& tensor : source.tensors) writer.add_tensor(tensor.name, tensor.view);
  const auto parts = writer.write_split(folder.path("part"), {.max_tensors = 20});
  ASSERT_TRUE(parts.ok());
  ASSERT_EQ(parts->size(), 3u);
  write_or_die(parts->front(), folder.path("one.gguf"), "Q8_0");
  const auto one = formats::GgufFile::open(folder.path("one.gguf"));
  ASSERT_TRUE(one.ok()) << one.error().message;
  EXPECT_EQ(one->tensors().tensors().size(), source.tensors.size());
  EXPECT_EQ(one->find("split.count"), nullptr);
}

TEST(Quantize, requantises_only_when_asked_to) {
  const TemporaryFolder folder;
  const std::string q8 = folder.path("q8.gguf");
  write_or_die(stories(), q8, "Q8_0");
  const Status status = write(q8, folder.path("q4.gguf"), "Q4_K_M");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("34 tensors are quantised already"), std::string::npos)
      << status.error().message;
  EXPECT_FALSE(std::filesystem::exists(folder.path("q4.gguf")));
  write_or_die(q8, folder.path("q4.gguf"), "Q4_K_M", {.allow_requantize = true});
  // The same types are a copy.
  write_or_die(q8, folder.path("copy.gguf"), "Q8_0");
  EXPECT_EQ(read_file(folder.path("copy.gguf")).size(), read_file(q8).size());
}

TEST(Quantize, never_over_the_input) {
  const TemporaryFolder folder;
  const std::string in = folder.path("in.gguf");
  write_or_die(stories(), in, "F16");
  const std::string before = read_file(in);
  std::filesystem::create_symlink("in.gguf", folder.path("link.gguf"));
  for (const char* name : {"in.gguf", "link.gguf"}) {
    const Status status = write(in, folder.path(name), "Q8_0", {.overwrite = true});
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.error().message.find("is the input"), std::string::npos);
  }
  EXPECT_EQ(read_file(in), before);
}

TEST(Quantize, refuses_what_is_there_and_what_is_no_file) {
  const TemporaryFolder folder;
  const auto expect_refused = [&](const std::string& out, const std::string& reason) {
    const Status status = write(stories(), out, "Q8_0");
    ASSERT_FALSE(status.ok()) << out;
    EXPECT_NE(status.error().message.find(reason), std::string::npos) << status.error().message;
  };
  expect_refused(folder.write("there.gguf", "mine"), "exists already: --force replaces it");
  EXPECT_EQ(read_file(folder.path("there.gguf")), "mine");
  expect_refused(folder.path(), "is a folder");
  expect_refused("/dev/null", "is no regular file");
  expect_refused(folder.path("no/such/out.gguf"), "there is no folder");
  expect_refused(folder.path("there.gguf/out.gguf"), "there is no folder");
  write_or_die(stories(), folder.path("there.gguf"), "Q8_0", {.overwrite = true});
}

TEST(Quantize, the_space_is_asked_for_before_anything_is_written) {
  const TemporaryFolder folder;
  const Source source = open_or_die(stories());
  const std::string out = folder.path("out.gguf");
  const auto n_free = static_cast<int64_t>(std::filesystem::space(folder.path()).available);
  const Status status = check_output_place(*source.model, out, 2 * n_free, false);
  ASSERT_FALSE(status.ok());
  EXPECT_TRUE(status.error().message.starts_with(out + ": needs ")) << status.error().message;
  EXPECT_NE(status.error().message.find("are free there"), std::string::npos);
  EXPECT_TRUE(check_output_place(*source.model, out, n_free / 2, false).ok());
}

// The bytes are written beside the work: a fault of the disk, in the middle or in the last bytes,
// must come back all the same.
TEST(Quantize, a_failed_write_is_an_error_wherever_it_is) {
  const TemporaryFolder folder;
  write_or_die(stories(), folder.path("whole"), "Q8_0");
  const auto size = std::filesystem::file_size(folder.path("whole"));
  std::filesystem::create_directory(folder.path("out"));
  ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  for (const uint64_t limit : {uint64_t{4096}, size / 2, size - 1}) {
    struct rlimit small {};
    small.rlim_cur = limit;
    small.rlim_max = before.rlim_max;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const Status status = write(stories(), folder.path("out/x.gguf"), "Q8_0", {.n_threads = 2});
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    ASSERT_FALSE(status.ok()) << limit;
    EXPECT_NE(status.error().message.find("cannot write"), std::string::npos)
        << status.error().message;
    EXPECT_TRUE(std::filesystem::is_empty(folder.path("out"))) << limit;
  }
  write_or_die(stories(), folder.path("out/x.gguf"), "Q8_0");
}

TEST(Quantize, ended_or_failed_work_leaves_nothing) {
  const TemporaryFolder folder;
  const auto is_empty = [&] { return std::filesystem::is_empty(folder.path("out")); };
  std::filesystem::create_directory(folder.path("out"));
  QuantizeOptions options;
  options.on_progress = [](const QuantizeProgress& so_far) { return so_far.n_done < 7; };
  EXPECT_FALSE(write(stories(), folder.path("out/x.gguf"), "Q8_0", options).ok());
  EXPECT_TRUE(is_empty());

  // A NaN in the last layer: bf16 in the file's last bytes.
  const std::string broken = tiny_checkpoint(folder, "qwen3");
  std::string bytes = read_file(broken + "/model.safetensors");
  bytes[bytes.size() - 1] = bytes[bytes.size() - 2] = '\xff';
  (void)folder.write("qwen3/model.safetensors", bytes);
  const Status status = write(broken, folder.path("out/x.gguf"), "F32");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("expected a finite number"), std::string::npos)
      << status.error().message;
  EXPECT_TRUE(is_empty());
}

TEST(Quantize, a_value_beyond_f16_is_refused_for_f16_only) {
  const TemporaryFolder folder;
  const std::string path = tiny_checkpoint(folder, "llama");  // stored in F32
  {
    const Source source = open_or_die(path);
    const formats::TensorSet& tensors = source.model->tensor_set();
    const auto offset = tensors.find("model.layers.1.mlp.up_proj.weight")->view.row(3) -
                        tensors.mappings().front().bytes().data();
    std::string bytes = read_file(path + "/model.safetensors");
    const float large = 70000.0f;
    bytes.replace(static_cast<size_t>(offset), 4, reinterpret_cast<const char*>(&large), 4);
    (void)folder.write("changed", bytes);
  }
  std::filesystem::rename(folder.path("changed"), path + "/model.safetensors");
  const Status status = write(path, folder.path("f16.gguf"), "F16");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("\"model.layers.1.mlp.up_proj.weight\": element [3, 0] is "
                                        "70000, too large for F16"),
            std::string::npos)
      << status.error().message;
  write_or_die(path, folder.path("bf16.gguf"), "BF16");
}

}  // namespace
}  // namespace forge::convert
