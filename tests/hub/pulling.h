// A cache of a test's own, and downloads into it from the fake Hub.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "forge/hub/pull.h"
#include "tests/hub/fake_hub.h"
#include "tests/python_test.h"

namespace forge::hub {

/// Retries within milliseconds, and ranges of 64 KiB.
inline Settings quick_settings(const FakeHub& hub, const TemporaryFolder& home) {
  Settings settings;
  settings.cache_folder = home.path("hub");
  settings.endpoint = hub.url();
  settings.stall_timeout = std::chrono::milliseconds(700);
  settings.range_bytes = 64 << 10;
  settings.retry.first_delay = std::chrono::milliseconds(2);
  settings.retry.longest_delay = std::chrono::milliseconds(20);
  return settings;
}

class PullTest : public PythonTest {
 protected:
  static void SetUpTestSuite() {
    shared_hub_ = std::make_unique<FakeHub>();
    shared_hub_->add("org/model", "config.json", "{}");
    shared_hub_->add("org/model", "tokenizer.json", std::string(5000, 't'));
    shared_hub_->add("org/model", "model.safetensors", kWeights);
    shared_hub_->add("org/model", "pytorch_model.bin", "the same again");
    shared_hub_->add("org/model", "onnx/model.onnx", "and again");
  }
  static void TearDownTestSuite() { shared_hub_.reset(); }
  void SetUp() override {
    PythonTest::SetUp();
    // Requests of an earlier test may still be on their way.
    settings_.user_agent = testing::UnitTest::GetInstance()->current_test_info()->name();
    hub_.listen_to(settings_.user_agent);
    hub_.reset();
  }

  Result<PulledModel> pull(std::string_view text = "org/model") {
    const Result<ModelName> name = parse_model_name(text);
    EXPECT_TRUE(name.ok()) << name.error().message;
    notes_.clear();
    PullEvents events;
    events.on_note = [this](std::string_view line) { notes_.emplace_back(line); };
    events.on_progress = [this](const PullProgress& progress) { progress_ = progress; };
    events.is_stopped = [this] { return is_stopped_; };
    return hub::pull(*name, {settings_, std::nullopt}, events);
  }
  /// The error of a pull that must fail.
  std::string error(std::string_view text = "org/model") {
    const Result<PulledModel> model = pull(text);
    return model.ok() ? "it worked" : model.error().message;
  }
  void expect_weights(const Result<PulledModel>& model) {
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_TRUE(read_file(model->path + "/model.safetensors") == kWeights);
    EXPECT_EQ(n_incomplete(), 0);
  }
  /// Files that have begun, with so many bytes at least, and not ended.
  [[nodiscard]] int n_incomplete(uintmax_t n_bytes = 0) const {
    int n = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(home_.path())) {
      const bool has_begun = entry.path().extension() == ".incomplete";
      n += has_begun && entry.file_size() >= n_bytes ? 1 : 0;
    }
    return n;
  }
  [[nodiscard]] bool has_note(std::string_view part) const {
    return std::any_of(notes_.begin(), notes_.end(), [&](const std::string& note) {
      return note.find(part) != std::string::npos;
    });
  }

  inline static const std::string kWeights = random_bytes(1'000'000, 7);
  inline static std::unique_ptr<FakeHub> shared_hub_;  // starting Python takes its time
  FakeHub& hub_ = *shared_hub_;
  TemporaryFolder home_;
  Settings settings_ = quick_settings(hub_, home_);
  std::vector<std::string> notes_;
  PullProgress progress_;
  bool is_stopped_ = false;
};

}  // namespace forge::hub
