// The subcommands, each in a file of its name. A later one adds a line here and in main.cpp.
#pragma once

#include "forge/cli/command_line.h"

namespace forge::cli {

// Each takes the arguments after its name and returns the exit code (see report.h).
[[nodiscard]] int run_generate(const Arguments& arguments);
[[nodiscard]] int run_chat(const Arguments& arguments);
[[nodiscard]] int run_batch(const Arguments& arguments);
[[nodiscard]] int run_serve(const Arguments& arguments);
[[nodiscard]] int run_pull(const Arguments& arguments);
[[nodiscard]] int run_list(const Arguments& arguments);
[[nodiscard]] int run_rm(const Arguments& arguments);
[[nodiscard]] int run_inspect(const Arguments& arguments);
[[nodiscard]] int run_tokenize(const Arguments& arguments);
[[nodiscard]] int run_perplexity(const Arguments& arguments);
[[nodiscard]] int run_bench(const Arguments& arguments);
[[nodiscard]] int run_quantize(const Arguments& arguments);
[[nodiscard]] int run_verify(const Arguments& arguments);
[[nodiscard]] int run_compare_quality(const Arguments& arguments);
[[nodiscard]] int run_make_random(const Arguments& arguments);
[[nodiscard]] int run_doctor(const Arguments& arguments);
[[nodiscard]] int run_version(const Arguments& arguments);

}  // namespace forge::cli
