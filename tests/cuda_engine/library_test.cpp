// Trusts: transformers on PyTorch in f32, through tests/models/goldens; the deterministic decoder
// where nothing of the library may show.
//
// --fast-nondeterministic with tests/simt/cublaslt as the library: what is asked of it, what comes
// of its answers, and what happens where it is not there or fails.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "forge/models/cuda/library/library_products.h"
#include "forge/models/decoder_memory.h"
#include "tests/cuda_engine/answers.h"
#include "tests/cuda_engine/tiny_model.h"
#include "tests/models/golden.h"
#include "tests/models/sequence_runner.h"
#include "tests/simt/cublaslt/use_standin.h"
#include "tests/simt/fake_cuda.h"

namespace forge::models {
namespace {

using fake_cuda::UseStandin;

class Library : public testing::Test {
 protected:
  BackendOptions options(bool is_fast) {
    fake_cuda::set({});
    BackendOptions backend;
    backend.cuda_device = 0;
    backend.cuda_product_type = kernels::cuda::ProductType::kBf16;  // some goldens are in f16
    backend.fast_nondeterministic = is_fast;
    backend.on_note = [this](std::string_view note) { notes.emplace_back(note); };
    return backend;
  }
  Matrix logits(const Model& of, const Golden& with, const BackendOptions& backend) {
    const auto length = static_cast<int32_t>(with.prompt_ids.size());
    SequenceRunner runner(of, length, 1, 1, backend);
    TestSequence sequence = runner.start(with.prompt_ids);
    n_after_start = UseStandin::count("multiply");
    return runner.run(sequence, length);
  }
  static bool same_bits(const Matrix& a, const Matrix& b) {
    return a.values.size() == b.values.size() &&
           std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(float)) == 0;
  }
  [[nodiscard]] bool has_note(const std::string& part) const {
    for (const std::string& note : notes) {
      if (note.find(part) != std::string::npos) return true;
    }
    return false;
  }
  [[nodiscard]] std::string all_notes() const {
    std::string text;
    for (const std::string& note : notes) text += note + "\n";
    return text;
  }
  static int64_t multiplied() { return UseStandin::count("multiply"); }

  UseStandin standin;
  const Golden golden = load_golden("llama", golden_cases().front().stem);
  const std::unique_ptr<Model> model = load_or_die(golden_path("llama"));
  std::vector<std::string> notes;
  int64_t n_after_start = 0;
};

TEST_F(Library, WithoutTheFlagNothingIsAskedOfIt) {
  const int64_t before = multiplied() + UseStandin::count("heuristic");
  (void)logits(*model, golden, options(false));
  EXPECT_EQ(multiplied() + UseStandin::count("heuristic"), before);
  EXPECT_FALSE(has_note("cuBLASLt")) << all_notes();
}

TEST_F(Library, PromptsOfEveryFamilyAreTheReferenceWithinBf16) {
  constexpr double kTolerance = 0.03;  // as decoder_test.cpp's
  for (const GoldenCase& each : golden_cases()) {
    SCOPED_TRACE(each.variant + " " + each.stem);
    const Golden expected = load_golden(each.variant, each.stem);
    const auto family = load_or_die(golden_path(each.variant));
    ASSERT_GE(expected.prompt_ids.size(), 17U);
    const Matrix found = logits(*family, expected, options(true));
    EXPECT_LE(max_relative_error(found.values.data(), expected.row("logits", 0),
                                 static_cast<int64_t>(found.values.size())),
              kTolerance);
    // Q, K and V in one, output, gate and up, down; the head too.
    EXPECT_EQ(multiplied() - n_after_start, family->spec.n_layers * 4 + 1);
  }
  EXPECT_EQ(UseStandin::count("live"), 0) << "descriptors or handles that nobody has destroyed";
}

TEST_F(Library, QuantisedWeightsAreUnpackedForIt) {
  for (const DType dtype : {DType::kQ8_0, DType::kQ4_0, DType::kQ5_0, DType::kQ4_1}) {
    SCOPED_TRACE(info(dtype).name);
    BackendOptions ours = options(false);
    ours.quantize = dtype;
    BackendOptions fast = options(true);
    fast.quantize = dtype;
    const Matrix expected = logits(*model, golden, ours);
    const Matrix found = logits(*model, golden, fast);
    EXPECT_GT(multiplied(), n_after_start);
    // Another order of f32 sums moves what is rounded to bf16 after them by one in 2^8 at most.
    EXPECT_LE(max_relative_error(found.values.data(), expected.values.data(),
                                 static_cast<int64_t>(found.values.size())),
              0.01);
    EXPECT_FALSE(same_bits(found, expected)) << "not the library's sums";
  }
}

TEST_F(Library, DecodingKeepsItsBits) {
  const auto decoded = [&](bool is_fast) {
    SequenceRunner runner(*model, 24, 1, 1, options(is_fast));
    TestSequence sequence = runner.start(std::span(golden.prompt_ids).first(7));
    Matrix all = runner.run(sequence, 7);
    for (int i = 0; i < 4; ++i) {
      sequence.tokens.push_back(5 + i);
      const Matrix row = runner.run(sequence, 1);
      all.values.insert(all.values.end(), row.values.begin(), row.values.end());
    }
    return all;
  };
  const Matrix expected = decoded(false);
  EXPECT_TRUE(same_bits(decoded(true), expected)) << "steps of less tokens are deterministic";
}

TEST_F(Library, TheQuickestOfItsAlgorithmsIsTaken) {
  for (const int best : {2, 0}) {
    standin.behave(fmt::format("best={},version={}", best, 130100 + best));
    (void)logits(*model, golden, options(true));
    EXPECT_EQ(UseStandin::count("candidate"), best);
  }
}

TEST_F(Library, WhatWasMeasuredIsKeptInAFile) {
  const Matrix first = logits(*model, golden, options(true));
  EXPECT_TRUE(has_note(" measured in ")) << all_notes();
  ASSERT_TRUE(std::filesystem::exists(standin.file()));
  const int64_t before = multiplied();
  notes.clear();
  const Matrix second = logits(*model, golden, options(true));
  EXPECT_EQ(n_after_start, before) << "measured again";
  EXPECT_FALSE(has_note("measured")) << all_notes();
  EXPECT_TRUE(same_bits(first, second));
}

TEST_F(Library, AFileThatIsNotTheDevicesIsReplaced) {
  (void)logits(*model, golden, options(true));
  const std::string good = read_file(standin.file());
  const auto expect_replaced = [&](const std::string& content, const std::string& why) {
    notes.clear();
    standin.write_file(content);
    (void)logits(*model, golden, options(true));
    EXPECT_TRUE(has_note(standin.file() + ": " + why)) << all_notes();
    EXPECT_TRUE(has_note("measured anew")) << all_notes();
    notes.clear();
    const int64_t before = multiplied();
    (void)logits(*model, golden, options(true));
    EXPECT_EQ(n_after_start, before) << "the file was not replaced: " << all_notes();
  };
  expect_replaced("", "");
  expect_replaced(good.substr(0, good.size() / 2), "");
  expect_replaced("{\"format\": 1}\n", "not as this version of Forge writes it");
  std::string other = good;
  other.replace(other.find("a fake"), 6, "a real");
  expect_replaced(other, "made for a real, ");
  std::string damaged = good;
  char& digit = damaged[damaged.find("5afec0de") + 17];
  digit = digit == '1' ? '2' : '1';
  expect_replaced(damaged, "product 0 is damaged");
}

TEST_F(Library, AnotherVersionMeasuresAnew) {
  (void)logits(*model, golden, options(true));
  notes.clear();
  standin.behave("version=130200");
  (void)logits(*model, golden, options(true));
  EXPECT_TRUE(has_note("cuBLASLt 130100, this is ")) << all_notes();
  EXPECT_TRUE(has_note("cuBLASLt 13.2.0 computes ")) << all_notes();
}

// The file says that an algorithm runs; the library, asked, says that it does not.
TEST_F(Library, AlgorithmsOfTheFileAreCheckedByTheLibrary) {
  (void)logits(*model, golden, options(true));
  notes.clear();
  standin.behave("check=7");
  (void)logits(*model, golden, options(true));
  EXPECT_TRUE(has_note(" measured in ")) << all_notes();
}

TEST_F(Library, AFolderThatCannotBeWrittenIsALine) {
  standin.folder().write("forge", "a file, not a folder");
  const Matrix found = logits(*model, golden, options(true));
  EXPECT_GT(found.rows(), 0);
  EXPECT_TRUE(has_note("the next start measures again")) << all_notes();
}

TEST_F(Library, WhatItRefusesIsForgesOwn) {
  standin.behave("heuristic=15");
  const Matrix found = logits(*model, golden, options(true));
  EXPECT_EQ(multiplied(), n_after_start);
  EXPECT_TRUE(has_note("cuBLASLt refuses a product of ")) << all_notes();
  EXPECT_TRUE(has_note("not supported (15); Forge's own kernels compute")) << all_notes();
  EXPECT_TRUE(same_bits(found, logits(*model, golden, options(false))));
}

// It fails in the middle of a step: the step goes on, and the library is not asked again.
TEST_F(Library, AProductThatFailsLaterIsForgesOwnToo) {
  const auto length = static_cast<int32_t>(golden.prompt_ids.size());
  SequenceRunner runner(*model, length, 1, 2, options(true));
  const int64_t before = multiplied();
  standin.behave(fmt::format("multiply=14,multiply_after={}", before + 2));
  notes.clear();
  TestSequence sequence = runner.start(golden.prompt_ids);
  const Matrix found = runner.run(sequence, length);
  EXPECT_LE(max_relative_error(found.values.data(), golden.row("logits", 0),
                               static_cast<int64_t>(found.values.size())),
            0.03);
  EXPECT_EQ(multiplied(), before + 2);
  EXPECT_TRUE(has_note("internal error (14); Forge's own kernels compute it from now on"))
      << all_notes();
  const size_t n_notes = notes.size();
  EXPECT_LE(n_notes, 5U) << all_notes();
  TestSequence again = runner.start(golden.prompt_ids);
  (void)runner.run(again, length);
  EXPECT_EQ(notes.size(), n_notes) << all_notes();
}

TEST_F(Library, WithoutItTheDecoderIsRefused) {
  const auto error = [&] {
    DecoderOptions decoder;
    decoder.n_cache_blocks = 4;
    decoder.max_batch_tokens = 32;
    decoder.backend = options(true);
    const Result<Decoder> made = Decoder::create(*model, decoder);
    return made.ok() ? "made" : made.error().message;
  };
  {
    const fake_cuda::Variable nowhere("FORGE_CUBLASLT", "/nowhere/libcublasLt.so.13");
    const std::string message = error();
    EXPECT_NE(message.find("--fast-nondeterministic needs cuBLASLt, which cannot be opened: "
                           "/nowhere/libcublasLt.so.13: "),
              std::string::npos)
        << message;
    EXPECT_NE(message.find("install NVIDIA's package libcublas-13-0"), std::string::npos);
  }
  standin.behave("create=3");
  EXPECT_NE(error().find("cuBLASLt 13.1.0 does not start: no memory (3)"), std::string::npos);
  standin.behave("");
  const fake_cuda::Variable wrong("FORGE_CUBLASLT_TOKENS", "many");
  EXPECT_EQ(error(), "FORGE_CUBLASLT_TOKENS is \"many\", expected a number from 2 on");
}

TEST_F(Library, ProductsInF16AreNotForIt) {
  DecoderOptions decoder;
  decoder.n_cache_blocks = 4;
  decoder.max_batch_tokens = 32;
  decoder.backend = options(true);
  decoder.backend.cuda_product_type = kernels::cuda::ProductType::kF16;
  const Result<Decoder> made = Decoder::create(*model, decoder);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("in f16, "), std::string::npos) << made.error().message;
}

TEST_F(Library, ItsMemoryIsInThePlan) {
  DecoderOptions decoder;
  decoder.n_cache_blocks = 4;
  decoder.max_batch_tokens = 32;
  decoder.backend = options(false);
  const int64_t without = workspace_bytes(*model, decoder);
  decoder.backend.fast_nondeterministic = true;
  const int64_t with = workspace_bytes(*model, decoder);
  EXPECT_GE(with - without, cuda::kLibraryWorkspaceBytes);
  const int64_t before = fake_cuda::counts().bytes_in_use;
  const Result<Decoder> made = Decoder::create(*model, decoder);
  ASSERT_TRUE(made.ok()) << made.error().message;
  const int64_t taken = fake_cuda::counts().bytes_in_use - before;
  EXPECT_EQ(taken,
            packed_weight_bytes(*model, decoder) + with + kv_cache_bytes(model->spec, decoder));
}

}  // namespace
}  // namespace forge::models

namespace forge::engine {
namespace {

Request long_request() {
  Request request;
  for (int t = 0; t < 60; ++t) request.prompt.push_back(4 + t * 7 % 180);
  request.max_tokens = 8;
  request.sampling.temperature = 0.0;
  request.ignore_eos = true;
  return request;
}

TEST(LibraryEngine, TheFlagIsInTheFingerprint) {
  fake_cuda::set({});
  const fake_cuda::UseStandin standin;
  const Model model = tiny_model("llama");
  EngineOptions options = on_cuda();
  const std::string without = make_engine(model, options)->info().fingerprint;
  options.fast_nondeterministic = true;
  options.max_step_tokens = 64;
  const auto engine = make_engine(model, options);
  EXPECT_NE(engine->info().fingerprint, without);
  EXPECT_EQ(engine->info().arithmetic, "bf16, fast-nondeterministic");
  EXPECT_EQ(run(*engine, long_request()).ids.size(), 8U);
}

TEST(LibraryEngine, ARequestOutlivesALibraryThatFails) {
  fake_cuda::set({});
  const fake_cuda::UseStandin standin;
  const Model model = tiny_model("llama");
  EngineOptions options = on_cuda();
  const Answer expected = run(*make_engine(model, options), long_request());
  options.fast_nondeterministic = true;
  options.max_step_tokens = 64;
  std::string notes;
  options.on_note = [&](std::string_view note) { notes += std::string(note) + "\n"; };
  const auto engine = make_engine(model, options);
  standin.behave(
      fmt::format("multiply=7,multiply_after={}", fake_cuda::UseStandin::count("multiply")));
  EXPECT_EQ(run(*engine, long_request()), expected);
  EXPECT_NE(notes.find("invalid value (7); Forge's own"), std::string::npos) << notes;
}

// The first error of the device is the one that is told.
TEST(LibraryEngine, ALostDeviceIsNotTheLibrarysFault) {
  fake_cuda::set({});
  const fake_cuda::UseStandin standin;
  const Model model = tiny_model("llama");
  EngineOptions options = on_cuda();
  options.fast_nondeterministic = true;
  options.max_step_tokens = 64;
  std::string notes;
  options.on_note = [&](std::string_view note) { notes += std::string(note) + "\n"; };
  const auto engine = make_engine(model, options);
  notes.clear();
  fake_cuda::set({.fail_after = 5});
  const Answer answer = run(*engine, long_request());
  EXPECT_EQ(answer.reason, FinishReason::kFailed);
  EXPECT_NE(answer.error.find("uncorrectable ECC error"), std::string::npos) << answer.error;
  EXPECT_EQ(notes, "");
  fake_cuda::set({});
}

TEST(LibraryEngine, TheCpuHasNoSuchThing) {
  const Model model = tiny_model("llama");
  EngineOptions options;
  options.fast_nondeterministic = true;
  options.max_step_tokens = 64;
  options.device = "cpu";
  const auto refused = Engine::create(model, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message,
            "fast_nondeterministic: for NVIDIA devices; the CPU has one way to compute");
  fake_cuda::set({.no_driver = "none"});
  options.device = "auto";
  std::string notes;
  options.on_note = [&](std::string_view note) { notes += std::string(note) + "\n"; };
  EngineOptions plain = options;
  plain.fast_nondeterministic = false;
  const std::string fingerprint = make_engine(model, plain)->info().fingerprint;
  notes.clear();
  const auto engine = make_engine(model, options);
  EXPECT_EQ(notes, "--fast-nondeterministic does nothing on the CPU\n");
  EXPECT_EQ(engine->info().fingerprint, fingerprint);
  fake_cuda::set({});
}

}  // namespace
}  // namespace forge::engine
