#include "forge/cli/chat/chat_options.h"

#include "forge/cli/flag_values.h"
#include "forge/cli/serving_options.h"
#include "forge/cli/text_input.h"

namespace forge::cli::chat {
namespace {

void add_conversation_options(CLI::App& app, ChatFlags& flags) {
  const std::string group = "Conversation";
  app.add_option("--system", flags.system, "The system message")->type_name("T")->group(group);
  CLI::Option* load =
      app.add_option("--load", flags.load, "Go on with a conversation that /save has written");
  load->type_name("F")->group(group);
  CLI::Option* plain = app.add_flag(
      "--plain", flags.plain,
      "Continue plain text, though the model has a chat template; without one it is always so");
  plain->group(group);
  app.add_flag("--no-history", flags.no_history,
               "Neither read nor write what was typed in earlier runs")
      ->group(group);
  app.add_option("--thoughts", flags.thoughts,
                 "What the model thinks before it answers: show, hide, or auto (on a terminal)")
      ->type_name("W")
      ->group(group);
}

void add_length_options(CLI::App& app, ChatFlags& flags) {
  const std::string group = "Where an answer ends";
  app.add_option("-n,--max-tokens", flags.max_tokens,
                 "Most tokens of an answer; 0: what the context has room for")
      ->type_name("N")
      ->group(group);
  app.add_option("--ctx", flags.ctx,
                 "Most tokens of the conversation; 0: the model's context, or what memory holds")
      ->type_name("N")
      ->group(group);
  several(app.add_option("--stop", flags.stop, "End before this text (may be given several times)")
              ->type_name("S")
              ->group(group));
}

}  // namespace

void add_chat_options(CommandLine& line, ChatFlags& flags) {
  add_model_option(line, flags.model, ModelArgument::kPositional);
  add_loading_options(line, flags.model);
  add_conversation_options(line.app(), flags);
  add_length_options(line.app(), flags);
  add_sampling_options(line.app(), flags.sampling,
                       "Same seed, same answers; random where not given");
  line.app()
      .add_flag("--no-wrap", flags.no_wrap,
                "Leave long lines to the terminal, which breaks them in mid-word")
      ->group("Output");
  line.app()
      .add_flag("--verbose", flags.verbose, "A line of numbers after each answer")
      ->group("Output");
  line.app().add_flag("-q,--quiet", flags.quiet, "Nothing on stderr but errors")->group("Output");
  add_runtime_options(line, flags.runtime);
}

Status complete(ChatFlags& flags) {
  FORGE_TRY_STATUS(check(flags.runtime));
  FORGE_TRY_STATUS(check_range("--max-tokens", flags.max_tokens, 0, kMostTokens));
  FORGE_TRY_STATUS(check_range("--ctx", flags.ctx, 0, kMostTokens));
  if (flags.system) FORGE_TRY_STATUS(check_utf8(*flags.system, "--system"));
  for (const std::string& stop : flags.stop) {
    if (stop.empty()) return make_error("--stop: expected at least one character");
    FORGE_TRY_STATUS(check_utf8(stop, "--stop"));
  }
  Settings checked;
  const Status thoughts = set_setting(checked, "thoughts", flags.thoughts, {});
  if (!thoughts.ok()) return make_error("--{}", thoughts.error().message);
  return cli::complete(flags.sampling);
}

Settings settings_of(const ChatFlags& flags) {
  Settings settings;
  settings.sampling = flags.sampling.params;
  settings.seed = flags.sampling.seed;
  if (flags.max_tokens > 0) settings.max_tokens = flags.max_tokens;
  settings.stop = flags.stop;
  settings.wrap = !flags.no_wrap;
  settings.verbose = flags.verbose;
  const Status thoughts = set_setting(settings, "thoughts", flags.thoughts, {});
  FORGE_CHECK(thoughts.ok(), "--thoughts was checked");
  return settings;
}

}  // namespace forge::cli::chat
