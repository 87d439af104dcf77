// The packed cache: what is kept, when it is used, and that damage never reaches a result.
// Trusts: the decoder without a cache.
#include "forge/models/cpu/packed_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/models/gguf_from_hf.h"
#include "tests/models/golden.h"
#include "tests/models/sequence_runner.h"
#include "tests/temporary_folder.h"

namespace forge::models {
namespace {

namespace fs = std::filesystem;

class PackedCache : public testing::Test {
 protected:
  PackedCache() {
    write_gguf_from_hf(golden_path("smollm2"), model_path_, {.matrices = DType::kQ8_0});
  }

  struct Run {
    std::vector<float> logits;
    std::string notes;
  };
  [[nodiscard]] Run run(const std::string& cache, const std::string& path = {}) const {
    const auto model = load_or_die(path.empty() ? model_path_ : path);
    Run result;
    BackendOptions backend{.quantize = quantize_, .packed_cache = cache};
    backend.on_note = [&](std::string_view text) { (result.notes += text) += '\n'; };
    SequenceRunner runner(*model, 8, 2, 1, backend);
    const std::vector<int32_t> ids = {1, 2, 3, 4, 5, 6, 7, 8};
    TestSequence sequence = runner.start(ids);
    result.logits = runner.run(sequence, 8).values;
    return result;
  }
  [[nodiscard]] std::string cache() const { return folder_.path("packed"); }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(cache())) found.push_back(entry.path());
    return found;
  }

  TemporaryFolder folder_;
  std::string model_path_ = folder_.path("model.gguf");
  std::optional<DType> quantize_;
};

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_all(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void expect_contains(const std::string& text, std::string_view part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(PackedCache, the_second_decoder_maps_what_the_first_one_wrote) {
  const Run without = run("");
  EXPECT_EQ(without.notes, "");
  const Run first = run(cache());
  expect_contains(first.notes, "packed cache: wrote ");
  ASSERT_EQ(files().size(), 1u);
  expect_contains(files().front().filename().string(), "model-");
  const Run second = run(cache());
  EXPECT_EQ(second.notes, "");
  EXPECT_EQ(first.logits, without.logits);
  EXPECT_EQ(second.logits, without.logits);
}

TEST_F(PackedCache, the_bytes_that_are_mapped_are_the_ones_that_are_used) {
  // Other weights under right hashes: a decoder that packed after all would not show them.
  const auto model = load_or_die(model_path_);
  const cpu::PackedWeights layout = cpu::lay_out_weights(model->weights, {}, nullptr);
  ThreadTeam team(1);
  const std::vector<std::byte> zeros(static_cast<size_t>(layout.bytes));
  const auto key = cpu::packed_file_key(*model, {}, layout, cache());
  ASSERT_TRUE(cpu::write_packed_file(key, zeros, team).ok());
  const Run mapped = run(cache());
  EXPECT_EQ(mapped.notes, "");
  for (const float logit : mapped.logits) ASSERT_EQ(logit, 0.0f);
}

TEST_F(PackedCache, a_newer_checkpoint_replaces_the_file) {
  (void)run(cache());
  write_gguf_from_hf(golden_path("smollm2"), model_path_, {.matrices = DType::kQ4_0});
  const Run expected = run("");
  const Run after = run(cache());
  expect_contains(after.notes, "stale: it says \"from ");
  expect_contains(after.notes, "packing again");
  EXPECT_EQ(after.logits, expected.logits);
  EXPECT_EQ(files().size(), 1u);
  EXPECT_EQ(run(cache()).notes, "");
}

TEST_F(PackedCache, the_same_bytes_at_another_time_are_another_checkpoint) {
  (void)run(cache());
  fs::last_write_time(model_path_, fs::last_write_time(model_path_) + std::chrono::seconds(1));
  expect_contains(run(cache()).notes, "modified");
}

TEST_F(PackedCache, damage_anywhere_is_found) {
  const Run whole = run(cache());
  const fs::path file = files().front();
  const std::string good = read_all(file);
  const size_t header = good.find("\n\n") + 2;
  std::vector<std::string> damaged = {"", good.substr(0, 10), good.substr(0, header + 3),
                                      good.substr(0, good.size() - 1), good + "x"};
  const size_t payload = (header + 16 + 4095) / 4096 * 4096;
  ASSERT_GT(good.size(), payload + 1000);
  for (const size_t at :
       {size_t{3}, header - 3, header, header + 8, payload, payload + 777, good.size() - 1}) {
    damaged.push_back(good);
    damaged.back()[at] ^= 0x10;
  }
  for (size_t i = 0; i < damaged.size(); ++i) {
    write_all(file, damaged[i]);
    const Run after = run(cache());
    expect_contains(after.notes, "packing again");
    EXPECT_EQ(after.logits, whole.logits) << "damage " << i;
    EXPECT_EQ(read_all(file), good) << "damage " << i;
  }
}

TEST_F(PackedCache, each_type_of_quantisation_has_its_own_file) {
  const std::string source = golden_path("smollm2");
  const Run as_is = run(cache(), source);
  quantize_ = DType::kQ8_0;
  const Run quantised = run(cache(), source);
  EXPECT_EQ(files().size(), 2u);
  EXPECT_NE(as_is.logits, quantised.logits);
  const Run again = run(cache(), source);
  EXPECT_EQ(again.notes, "");
  EXPECT_EQ(again.logits, quantised.logits);
}

TEST_F(PackedCache, a_folder_that_cannot_be_written_is_no_error) {
  const Run after = run(model_path_ + "/sub");
  expect_contains(after.notes, "going on without");
  EXPECT_EQ(after.logits, run("").logits);
}

TEST_F(PackedCache, two_processes_do_not_write_the_same_file) {
  (void)run(cache());
  const fs::path file = files().front();
  const std::string temporary = file.string() + ".tmp";
  fs::remove(file);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT, 0644);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  const Run after = run(cache());
  expect_contains(after.notes, "another process is writing it; going on without");
  EXPECT_TRUE(fs::exists(temporary));
  ::close(fd);
  expect_contains(run(cache()).notes, "wrote");
  EXPECT_FALSE(fs::exists(temporary));
}

}  // namespace
}  // namespace forge::models
