// forge generate: continues a prompt.
#include "forge/generate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "forge/cli/chat_prompt.h"
#include "forge/cli/commands.h"
#include "forge/cli/control_filter.h"
#include "forge/cli/engine_options.h"
#include "forge/cli/generate_json.h"
#include "forge/cli/generate_options.h"
#include "forge/cli/interrupt.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"
#include "forge/cli/text_input.h"
#include "forge/engine/prompt_checks.h"
#include "forge/engine/single_sequence.h"

namespace forge::cli {
namespace {

constexpr const char* kExamples =
    "  forge generate --prompt \"Once upon a time\" --echo\n"
    "  forge generate --model folder --chat --prompt \"Name three rivers.\"\n"
    "  forge generate --model model.gguf --prompt-file start.txt -n 500 --seed 7\n"
    "  echo \"The sea is\" | forge generate --stop . --json\n";

/// The prompt as the person gave it. The caller has made sure that stdin is not a terminal where it
/// would be read.
Result<std::string> read_prompt(const GenerateFlags& flags) {
  if (flags.prompt) {
    FORGE_TRY_STATUS(check_utf8(*flags.prompt, "--prompt"));
    return *flags.prompt;
  }
  FORGE_TRY(std::string text, read_utf8(flags.prompt_file.value_or("-")));
  // Editors and echo end a text with a line end that nobody means.
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

/// A prompt ready for the model.
struct Prompt {
  std::string text;
  std::vector<int32_t> ids;
};

Result<Prompt> tokenize_prompt(const GenerateFlags& flags, const engine::LoadedModel& loaded,
                               std::string text) {
  if (!flags.chat) {
    std::vector<int32_t> ids = loaded.tokenizer.encode(text);
    if (ids.empty()) {
      return make_error(
          "the prompt is empty, and this model's tokenizer puts no token before a text: "
          "give at least one character");
    }
    return Prompt{std::move(text), std::move(ids)};
  }
  FORGE_TRY(std::string rendered, render_chat(loaded, flags.system, text));
  // The template writes BOS itself where the model wants one.
  std::vector<int32_t> ids = loaded.tokenizer.encode(rendered, {.add_special = false});
  return Prompt{std::move(rendered), std::move(ids)};
}

Request request_of(const GenerateFlags& flags, const text::Tokenizer& tokenizer) {
  Request request;
  request.sampling = flags.sampling.params;
  request.max_tokens = flags.max_tokens;
  request.ignore_eos = flags.ignore_eos;
  request.stop_ids = flags.stop_ids;
  request.stop_strings = flags.stop;
  // Special tokens leave no text to search, so as a stop string their spelling means the token.
  for (const std::string& stop : flags.stop) {
    const auto id = tokenizer.id_of(stop);
    if (id && tokenizer.is_special(*id)) request.stop_ids.push_back(*id);
  }
  request.n_logprobs = flags.n_logprobs;
  request.prompt_logprobs = flags.prompt_logprobs;
  return request;
}

/// An engine that has just the memory this one request takes.
Result<std::unique_ptr<Engine>> engine_for(const GenerateFlags& flags, const Model& model,
                                           int32_t ctx, int32_t n_prompt) {
  EngineOptions options = engine_options(flags.runtime);
  if (!flags.quiet) options.on_note = note;
  options.context_len =
      static_cast<int32_t>(std::min<int64_t>(int64_t{n_prompt} + flags.max_tokens, ctx));
  options.kv_cache_tokens = options.context_len;
  options.max_sequences = 1;
  options.max_step_tokens = std::min(n_prompt, engine::kDefaultChunkTokens);
  options.prefix_cache = false;
  return Engine::create(model, options);
}

void print_closing_line(const Generation& generation, uint64_t seed) {
  const GenerateStats& stats = generation.stats;
  note(fmt::format(
      "{} prompt + {} generated tokens ({}), first token after {:.1f} ms, prompt {:.1f} tok/s, "
      "generation {:.1f} tok/s, seed {}",
      stats.n_prompt, stats.n_generated, describe(generation.finish_reason),
      stats.time_to_first_token_ms, stats.prefill_rate(), stats.decode_rate(), seed));
}

/// Text for stdout. A model must not be able to drive a terminal; what is no terminal gets the
/// bytes as they are.
class TextOutput {
 public:
  explicit TextOutput(StdoutStream& out) : out_(out), is_terminal_(::isatty(STDOUT_FILENO) != 0) {}

  void write(std::string_view text) { out_.write(is_terminal_ ? filter_.pass(text) : text); }
  void write_now(std::string_view text) {
    write(text);
    out_.flush();
  }
  /// The text ends with a line end whatever the model said.
  void end_line(std::string_view text) {
    out_.write(filter_.flush());
    if (!text.ends_with('\n')) out_.write("\n");
  }

 private:
  StdoutStream& out_;
  bool is_terminal_;
  ControlFilter filter_;
};

/// The part that needs a model.
int generate(const CommandLine& line, const GenerateFlags& flags, std::string prompt_text) {
  Result<engine::LoadedModel> weights = load(flags.model);
  if (!weights.ok()) return runtime_error(weights.error().message);
  const Model model = Model::from(std::move(weights).value());
  const engine::LoadedModel& loaded = model.loaded();
  const models::ModelSpec& spec = loaded.spec();
  Request request = request_of(flags, loaded.tokenizer);
  Status valid = validate(request.sampling, spec.vocab_size);
  if (valid.ok()) valid = engine::check_ids(request.stop_ids, spec.vocab_size, "stop token");
  if (!valid.ok()) return line.fail(valid.error().message);
  const Result<int32_t> ctx = choose_context(flags.ctx, spec);
  if (!ctx.ok()) return line.fail(ctx.error().message);
  Result<Prompt> prompt = tokenize_prompt(flags, loaded, std::move(prompt_text));
  if (!prompt.ok()) return runtime_error(prompt.error().message);
  const Status length = engine::check_prompt_length(prompt->ids.size(), *ctx, flags.max_tokens);
  if (!length.ok()) {
    return runtime_error(fmt::format(
        "{}: shorten the prompt{}", length.error().message,
        *ctx < spec.context_len ? fmt::format(" or raise --ctx (up to {})", spec.context_len)
                                : ""));
  }

  Result<std::unique_ptr<Engine>> engine =
      engine_for(flags, model, *ctx, static_cast<int32_t>(prompt->ids.size()));
  if (!engine.ok()) return runtime_error(engine.error().message);
  StdoutStream out;
  TextOutput text_output(out);
  const bool is_streamed = !flags.json && !flags.no_stream;
  GenerateCallbacks callbacks{.on_text = {}, .is_cancelled = is_interrupted};
  if (is_streamed) {
    callbacks.on_text = [&](std::string_view text) {
      text_output.write_now(text);
      return out.is_open();
    };
  }
  catch_interrupts();
  if (!flags.quiet) announce(flags.model, loaded, flags.runtime, (*engine)->info().device_text);
  if (is_streamed && flags.echo) text_output.write_now(prompt->text);
  request.prompt = prompt->ids;
  const Result<Generation> generation = forge::generate(**engine, std::move(request), callbacks);
  if (!generation.ok()) return runtime_error(generation.error().message);

  if (flags.json) {
    const GenerateRequestInfo info{loaded.name, prompt->text, prompt->ids,
                                   flags.sampling.params.seed};
    out.write(generation_json(info, *generation, loaded.tokenizer));
  } else {
    if (!is_streamed && flags.echo) text_output.write(prompt->text);
    if (!is_streamed) text_output.write(generation->text);
    text_output.end_line(generation->text);
  }
  const int code = out.close();
  if (!flags.quiet) print_closing_line(*generation, flags.sampling.params.seed);
  return is_interrupted() ? kInterrupted : code;
}

}  // namespace

int run_generate(const Arguments& arguments) {
  GenerateFlags flags;
  CommandLine line(
      "generate",
      "Continue a prompt. The text goes to stdout as it comes, everything else to stderr.",
      kExamples);
  add_generate_options(line, flags);
  if (const auto code = line.parse(arguments)) return *code;
  if (const Status status = complete(flags); !status.ok()) {
    return line.fail(status.error().message);
  }
  if (!flags.prompt && !flags.prompt_file && ::isatty(STDIN_FILENO) != 0) {
    return line.fail("no prompt: give --prompt \"...\", --prompt-file F, or a text on stdin");
  }
  Result<std::string> prompt = read_prompt(flags);
  if (!prompt.ok()) return runtime_error(prompt.error().message);
  return generate(line, flags, std::move(prompt).value());
}

}  // namespace forge::cli
