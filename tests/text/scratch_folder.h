// A folder that a test fills with tokenizer files and that disappears with it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace forge::text {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "forge_text_XXXXXX").string();
    const char* made = mkdtemp(name.data());
    EXPECT_NE(made, nullptr);
    path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code code;
    std::filesystem::remove_all(path_, code);
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  void write(const std::string& name, std::string_view content) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << content;
  }

  /// Copies a file here, unpacking it where its name ends in .gz. as: the name it gets.
  void take(const std::string& source, const std::string& as) const {
    const std::string target = path_ + "/" + as;
    if (!source.ends_with(".gz")) {
      std::filesystem::copy_file(source, target);
      return;
    }
    const std::string command = "gzip -dc '" + source + "' > '" + target + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

 private:
  std::string path_;
};

/// The whole content of a file.
inline std::string file_content(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace forge::text
