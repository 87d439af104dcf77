// Running the forge binary as a person or a script does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/temporary_folder.h"

namespace forge::cli {

/// What a finished program left behind.
struct Outcome {
  int exit_code = -1;  // 128 + signal where one ended it
  std::string out;
  std::string err;
  int64_t peak_resident_bytes = 0;

  [[nodiscard]] std::vector<std::string> err_lines() const;
};

struct Environment {
  std::string name;
  std::string value;
};

/// Lets a child process, before it becomes a program, know no model, device, cache or Hub of this
/// machine. What is given afterwards holds.
void forget_environment();

/// Runs forge with these arguments; stdin is the given text. The environment is that of
/// forget_environment(), with what is given.
[[nodiscard]] Outcome run_forge(const std::vector<std::string>& arguments,
                                std::string_view input = "",
                                const std::vector<Environment>& environment = {});

/// The same of any program: a command's first word is its path.
[[nodiscard]] Outcome run_program(const std::vector<std::string>& command,
                                  std::string_view input = "",
                                  const std::vector<Environment>& environment = {});

/// Runs a line of sh in which $FORGE is the binary.
[[nodiscard]] Outcome run_shell(const std::string& command);

/// The model that ships with Forge, as a .gguf file and as a Hugging Face folder.
[[nodiscard]] std::string stories_gguf();
[[nodiscard]] std::string stories_folder();
/// A copy of the folder inside another one, to break.
[[nodiscard]] std::string copy_stories_folder(const TemporaryFolder& folder);
/// A copy whose context (200,000 tokens) no text fills while a test looks.
[[nodiscard]] std::string endless_stories_folder(const TemporaryFolder& folder);

}  // namespace forge::cli
