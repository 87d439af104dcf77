// Trusts: files made by the original tools, and the agreement of the same weights in several
// formats.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "forge/base/bytes.h"
#include "forge/base/float16.h"
#include "forge/base/json.h"
#include "forge/formats/gguf.h"
#include "forge/formats/safetensors.h"
#include "tests/formats/file_bytes.h"
#include "tests/formats/touch.h"
#include "tests/temporary_folder.h"
#include "tests/test_data.h"

namespace forge::formats {
namespace {

// Whether a bound on time means anything: optimised and without sanitizers.
#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsFastBuild = false;
#elif defined(__has_feature)
constexpr bool kIsFastBuild = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool kIsFastBuild = true;
#endif

std::vector<std::byte> unzip(const std::string& path) {
  std::vector<std::byte> bytes;
  std::FILE* pipe = ::popen(("gzip -dc '" + path + "'").c_str(), "r");
  if (pipe == nullptr) return bytes;
  std::array<std::byte, 65536> chunk;
  while (const size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return ::pclose(pipe) == 0 ? bytes : std::vector<std::byte>();
}

// The fastest of five runs, in milliseconds of processor time: other programs do not count.
template <typename Body>
double best_ms(const Body& body) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const std::clock_t begin = std::clock();
    body();
    const double ms = 1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    best = std::min(best, ms);
  }
  return best;
}

TEST(RealFiles, TheSameModelInEveryFormat) {
  FORGE_REQUIRE_DATA(dir, "models/stories260K");
  const auto f32 = GgufFile::open(dir + "/stories260K-f32.gguf");
  const auto f16 = GgufFile::open(dir + "/stories260K-f16.gguf");
  const auto q8 = GgufFile::open(dir + "/stories260K-q8_0.gguf");
  const auto hf = open_safetensors_folder(dir + "/hf");
  ASSERT_TRUE(f32.ok()) << f32.error().message;
  ASSERT_TRUE(f16.ok()) << f16.error().message;
  ASSERT_TRUE(q8.ok()) << q8.error().message;
  ASSERT_TRUE(hf.ok()) << hf.error().message;
  EXPECT_EQ(f32->find("general.architecture")->as_string(), "llama");
  EXPECT_EQ(f32->find("llama.embedding_length")->as_int(), 64);
  EXPECT_EQ(f32->find("tokenizer.ggml.tokens")->as_strings()->size(), 512u);

  // The embedding is not permuted by the converter: its bytes are the same in both formats.
  const NamedTensor* a = f32->tensors().find("token_embd.weight");
  const NamedTensor* b = hf->find("model.embed_tokens.weight");
  ASSERT_TRUE(a != nullptr && b != nullptr);
  ASSERT_EQ(a->view.shape, b->view.shape);
  EXPECT_EQ(a->view.shape, (Shape{512, 64}));
  EXPECT_EQ(0, std::memcmp(a->view.data, b->view.data, static_cast<size_t>(a->view.bytes())));

  ASSERT_EQ(f16->tensors().tensors().size(), f32->tensors().tensors().size());
  for (const NamedTensor& half : f16->tensors().tensors()) {
    const NamedTensor* full = f32->tensors().find(half.name);
    ASSERT_NE(full, nullptr) << half.name;
    ASSERT_EQ(full->view.shape, half.view.shape);
    if (half.view.dtype != DType::kF16) continue;
    for (int64_t i = 0; i < full->view.shape.numel().value(); ++i) {
      const auto rounded = f32_to_f16(load_le<float>(full->view.data + 4 * i));
      ASSERT_EQ(rounded, load_le<uint16_t>(half.view.data + 2 * i)) << half.name << " " << i;
    }
  }
}

TEST(RealFiles, VocabulariesOfOtherModels) {
  FORGE_REQUIRE_DATA(dir, "tokenizers/gguf_vocab");
  size_t largest = 0;
  std::string report;
  for (const auto& file : std::filesystem::directory_iterator(dir)) {
    if (file.path().extension() != ".gz") continue;
    const auto bytes = unzip(file.path().string());
    if (bytes.empty()) GTEST_SKIP() << "gzip cannot unpack " << file.path();
    const std::string origin = file.path().filename().string();
    const auto gguf = GgufFile::parse(bytes, origin);
    ASSERT_TRUE(gguf.ok()) << gguf.error().message;
    const auto tokens = gguf->find("tokenizer.ggml.tokens")->as_strings();
    ASSERT_TRUE(tokens.has_value());
    EXPECT_GT(tokens->size(), 30000u);
    EXPECT_EQ(gguf->find("tokenizer.ggml.token_type")->as_ints()->size(), tokens->size());
    touch(*gguf, bytes);
    if (bytes.size() <= largest) continue;
    largest = bytes.size();
    const double parse_ms = best_ms([&] { ASSERT_TRUE(GgufFile::parse(bytes, origin).ok()); });
    const double strings_ms =
        best_ms([&] { ASSERT_TRUE(gguf->find("tokenizer.ggml.tokens")->as_strings()); });
    report =
        fmt::format("{}: {:.1f} MB parsed in {:.2f} ms, {} tokens as views in {:.2f} ms\n", origin,
                    static_cast<double>(largest) / 1e6, parse_ms, tokens->size(), strings_ms);
  }
  ASSERT_GT(largest, 0u);
  std::fputs(report.c_str(), stdout);
}

TEST(RealFiles, ALargeTokenizerJsonParsesQuickly) {
  FORGE_REQUIRE_DATA(zipped, "tokenizers/qwen2.5/tokenizer.json.gz");
  const auto bytes = unzip(zipped);
  if (bytes.empty()) GTEST_SKIP() << "gzip cannot unpack " << zipped;
  // Twice in one document, for the size of the largest that are about.
  const std::string_view json(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string text = fmt::format("{{\"model\":{0},\"again\":{0}}}", json);
  const TemporaryFolder dir;
  const std::string path = dir.path("tokenizer.json");
  write_text(path, text);
  size_t n_tokens = 0;
  const double ms = best_ms([&] {
    const auto document = json::Document::load(path);
    ASSERT_TRUE(document.ok()) << document.error().message;
    n_tokens = document->root().find("again").find("model").find("vocab").size();
  });
  EXPECT_EQ(n_tokens, 151643u);
  std::printf("tokenizer.json: %.1f MB parsed in %.1f ms (%.0f MB/s)\n",
              static_cast<double>(text.size()) / 1e6, ms,
              static_cast<double>(text.size()) / 1e3 / ms);
  EXPECT_TRUE(!kIsFastBuild || ms < 100.0) << ms << " ms";
}

}  // namespace
}  // namespace forge::formats
