// The stand-in for libcublasLt as the library that is found, with a folder of the test's own for
// what is measured.
#pragma once

#include <dlfcn.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "forge/base/check.h"
#include "tests/temporary_folder.h"

namespace forge::fake_cuda {

/// An environment variable for the time of a test.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* before = std::getenv(name_.c_str())) before_ = before;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Variable() {
    if (before_) {
      ::setenv(name_.c_str(), before_->c_str(), 1);
    } else {
      ::unsetenv(name_.c_str());
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  void set(const std::string& value) const { ::setenv(name_.c_str(), value.c_str(), 1); }

 private:
  std::string name_;
  std::optional<std::string> before_;
};

/// least_tokens: from which on the library is tried.
class UseStandin {
 public:
  explicit UseStandin(int least_tokens = 17)
      : least_("FORGE_CUBLASLT_TOKENS", std::to_string(least_tokens)) {}

  /// What CUBLASLT_STANDIN says: see standin.h.
  void behave(const std::string& how) const { behaviour_.set(how); }
  [[nodiscard]] static int64_t count(const char* what) {
    void* const library = dlopen(FORGE_CUBLASLT_STANDIN, RTLD_NOW | RTLD_LOCAL);
    FORGE_CHECK(library != nullptr, "{}", dlerror());
    return reinterpret_cast<int64_t (*)(const char*)>(dlsym(library, "standin_count"))(what);
  }
  /// What is measured of the fake device.
  [[nodiscard]] std::string file() const { return folder_.path(kFile); }
  void write_file(const std::string& content) const { folder_.write(kFile, content); }
  [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

 private:
  static constexpr const char* kFile = "forge/cublaslt/a_fake.json";

  TemporaryFolder folder_;
  Variable library_{"FORGE_CUBLASLT", FORGE_CUBLASLT_STANDIN};
  Variable cache_{"XDG_CACHE_HOME", folder_.path()};
  Variable behaviour_{"CUBLASLT_STANDIN", ""};
  Variable all_{"FORGE_CUBLASLT_ALL", "1"};  // the emulation's times mean nothing
  Variable least_;
};

}  // namespace forge::fake_cuda
