// forge: finds the subcommand and runs it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "forge/cli/commands.h"
#include "forge/cli/help_formatter.h"
#include "forge/cli/report.h"
#include "forge/cli/wrapped_text.h"

namespace forge::cli {
namespace {

struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(const Arguments& arguments);
};

constexpr std::array kCommands = {
    Command{"generate", "Continue a prompt", run_generate},
    Command{"chat", "Talk with a model", run_chat},
    Command{"serve", "Serve a model over HTTP, as OpenAI's API has it", run_serve},
    Command{"batch", "Answer a file of requests in OpenAI's batch format", run_batch},
    Command{"pull", "Download a model from the Hugging Face Hub", run_pull},
    Command{"list", "Show the models in the cache", run_list},
    Command{"rm", "Remove a model from the cache", run_rm},
    Command{"inspect", "Show what a model is and what memory it takes", run_inspect},
    Command{"tokenize", "Turn text into token ids, or ids into text", run_tokenize},
    Command{"perplexity", "Measure how well a model predicts a text", run_perplexity},
    Command{"bench", "Measure how fast a model runs; hw: the machine; serve: a server", run_bench},
    Command{"quantize", "Write a model as a GGUF file of another type of weights", run_quantize},
    Command{"verify", "Check that a model's files are whole and fit for use", run_verify},
    Command{"compare-quality", "Measure how well one model stands in for another",
            run_compare_quality},
    Command{"make-random", "Write a GGUF file with random weights", run_make_random},
    Command{"doctor", "Show what this machine has and what Forge will use of it", run_doctor},
    Command{"version", "Show version, compiler, CPU features and build options", run_version},
};

int print_help() {
  const size_t width = help_columns();
  const auto paragraph = [&](const std::string& words) {
    return fmt::format("{}\n", fmt::join(wrap(words, width), "\n"));
  };
  std::string text =
      "Forge runs large language models.\n\n"
      "Usage: forge COMMAND [OPTIONS]\n\nCommands:\n";
  for (const Command& command : kCommands) {
    text += wrapped_entry(command.name, command.summary, 15, static_cast<int>(width) + 1);
  }
  text += "\nforge COMMAND --help shows a command's options.\n\n";
  text += paragraph(
      "A model is org/name of the Hugging Face Hub (downloaded once), a folder, a .gguf file, or "
      "nothing for the small one inside this program. It runs on an NVIDIA device where this "
      "build (forge version) and the machine have one, else on the CPU.");
  text += paragraph("Environment: FORGE_MODEL sets the default model, FORGE_DEVICE the device.");
  text +=
      "\nExamples:\n"
      "  forge generate --prompt \"Once upon a time\"\n"
      "  forge pull HuggingFaceTB/SmolLM2-135M-Instruct\n"
      "  forge generate --model model.gguf --prompt \"The sea is\" --temperature 0\n"
      "  forge chat model.gguf\n"
      "  forge serve model.gguf --port 8080\n"
      "  forge batch requests.jsonl -o answers.jsonl\n"
      "  forge inspect model.gguf\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kOk;
}

int unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  const std::string nearest = nearest_name(name, names);
  const std::string hint = nearest.empty()
                               ? fmt::format("expected one of {}", fmt::join(names, ", "))
                               : fmt::format("did you mean {}?", nearest);
  return usage_error("", fmt::format("unknown command \"{}\": {}", name, hint));
}

int run(const Arguments& arguments) {
  if (arguments.empty()) return usage_error("", "no command");
  const std::string& name = arguments.front();
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (name == "--help" || name == "-h" || name == "help") return print_help();
  if (name == "--version" || name == "-V") return run_version(rest);
  for (const Command& command : kCommands) {
    if (name == command.name) return command.run(rest);
  }
  if (name.starts_with('-')) {
    return usage_error("", fmt::format("unknown option {}: a command comes first", name));
  }
  return unknown_command(name);
}

}  // namespace
}  // namespace forge::cli

int main(int argc, char** argv) {
  // A reader that goes away is noticed where output is written.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return forge::cli::run(forge::cli::Arguments(argv + 1, argv + argc));
  } catch (const std::bad_alloc&) {
    return forge::cli::runtime_error("out of memory");
  } catch (const std::exception& exception) {
    return forge::cli::runtime_error(fmt::format("unexpected failure: {}", exception.what()));
  }
}
