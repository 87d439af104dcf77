#include "forge/cli/generate_options.h"

#include <random>

#include "forge/cli/text_input.h"

namespace forge::cli {
namespace {

void add_prompt_options(CLI::App& app, GenerateFlags& flags) {
  const std::string group = "Prompt; stdin where none is given";
  CLI::Option* prompt = app.add_option("-p,--prompt", flags.prompt, "The text to continue");
  prompt->type_name("P")->group(group);
  CLI::Option* file =
      app.add_option("--prompt-file", flags.prompt_file,
                     "The same from a file (- is stdin); one line end at its end is "
                     "left out, as with stdin");
  file->type_name("F")->group(group)->excludes(prompt);
  CLI::Option* raw =
      app.add_flag("--raw", flags.raw, "The prompt is plain text to continue (default)");
  CLI::Option* chat = app.add_flag(
      "--chat", flags.chat, "The prompt is a user's message: apply the model's chat template");
  raw->group(group)->excludes(chat);
  chat->group(group);
  app.add_option("--system", flags.system, "With --chat: the system message")
      ->type_name("T")
      ->group(group)
      ->needs(chat);
}

void add_length_options(CLI::App& app, GenerateFlags& flags) {
  const std::string group = "Where it ends";
  app.add_option("-n,--max-tokens", flags.max_tokens, "Most tokens to generate")
      ->type_name("N")
      ->group(group);
  app.add_option("--ctx", flags.ctx,
                 "Most tokens of prompt and text together; 0: the model's context")
      ->type_name("N")
      ->group(group);
  several(app.add_option("--stop", flags.stop, "End before this text (may be given several times)")
              ->type_name("S")
              ->group(group));
  several(app.add_option("--stop-token", flags.stop_ids,
                         "End at this token id (may be given several times)")
              ->type_name("ID")
              ->group(group));
  app.add_flag("--ignore-eos", flags.ignore_eos, "Go on when the model says that its text ends")
      ->group(group);
}

void add_output_options(CLI::App& app, GenerateFlags& flags) {
  const std::string group = "Output";
  app.add_flag("--echo", flags.echo, "Print the prompt before the text")->group(group);
  app.add_flag("--no-stream", flags.no_stream, "Print the text when it is complete")->group(group);
  app.add_flag("--json", flags.json, "Print one JSON object when the text is complete")
      ->group(group);
  app.add_option("--logprobs", flags.n_logprobs,
                 "Log-probabilities of each token and of the N most probable ones; means --json")
      ->type_name("N")
      ->group(group);
  app.add_flag("--prompt-logprobs", flags.prompt_logprobs,
               "With --logprobs: of the prompt's tokens too")
      ->group(group);
  app.add_flag("-q,--quiet", flags.quiet, "Nothing on stderr but errors")->group(group);
}

}  // namespace

void add_generate_options(CommandLine& line, GenerateFlags& flags) {
  add_model_option(line, flags.model, ModelArgument::kFlag);
  add_loading_options(line, flags.model);
  add_prompt_options(line.app(), flags);
  add_length_options(line.app(), flags);
  add_sampling_options(line.app(), flags.sampling,
                       "Same seed, same text; random and printed where not given");
  add_output_options(line.app(), flags);
  add_runtime_options(line, flags.runtime);
}

Status complete(GenerateFlags& flags) {
  FORGE_TRY_STATUS(check(flags.runtime));
  if (flags.max_tokens < 0) {
    return make_error("--max-tokens {}: expected 0 or more", flags.max_tokens);
  }
  if (flags.ctx < 0) return make_error("--ctx {}: expected 1 or more", flags.ctx);
  if (flags.n_logprobs && *flags.n_logprobs < 0) {
    return make_error("--logprobs {}: expected 0 or more", *flags.n_logprobs);
  }
  if (flags.prompt_logprobs && !flags.n_logprobs) {
    return make_error("--prompt-logprobs needs --logprobs N");
  }
  for (const std::string& stop : flags.stop) {
    if (stop.empty()) return make_error("--stop: expected at least one character");
    FORGE_TRY_STATUS(check_utf8(stop, "--stop"));
  }
  FORGE_TRY_STATUS(complete(flags.sampling));
  flags.json = flags.json || flags.n_logprobs.has_value();
  flags.sampling.params.seed =
      flags.sampling.seed.value_or(std::random_device{}());  // 32 bits: short enough to type again
  return {};
}

}  // namespace forge::cli
