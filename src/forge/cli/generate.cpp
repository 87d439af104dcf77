// forge generate: continues a prompt.
#include "forge/engine/generate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "forge/cli/chat_prompt.h"
#include "forge/cli/commands.h"
#include "forge/cli/generate_json.h"
#include "forge/cli/generate_options.h"
#include "forge/cli/interrupt.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"
#include "forge/cli/text_input.h"

namespace forge::cli {
namespace {

constexpr const char* kExamples =
    "  forge generate --prompt \"Once upon a time\" --echo\n"
    "  forge generate --model folder --chat --prompt \"Name three rivers.\" --temperature 0\n"
    "  forge generate --model model.gguf --prompt-file start.txt --max-tokens 500 --seed 7\n"
    "  echo \"The sea is\" | forge generate --stop . --json\n";

/// The prompt as the person gave it. The caller has made sure that stdin is not a terminal where it
/// would be read.
Result<std::string> read_prompt(const GenerateFlags& flags) {
  if (flags.prompt) {
    FORGE_TRY_STATUS(check_utf8(*flags.prompt, "--prompt"));
    return *flags.prompt;
  }
  const std::string path = flags.prompt_file.value_or("-");
  FORGE_TRY(std::string text, read_text(path));
  FORGE_TRY_STATUS(check_utf8(text, path == "-" ? "stdin" : path));
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

engine::GenerateOptions engine_options(const GenerateFlags& flags,
                                       const text::Tokenizer& tokenizer) {
  engine::GenerateOptions options;
  options.sampling = flags.sampling;
  options.max_tokens = flags.max_tokens;
  options.ignore_eos = flags.ignore_eos;
  options.stop_ids = flags.stop_ids;
  options.stop_strings = flags.stop;
  // Special tokens leave no text to search, so as a stop string their spelling means the token.
  for (const std::string& stop : flags.stop) {
    const auto id = tokenizer.id_of(stop);
    if (id && tokenizer.is_special(*id)) options.stop_ids.push_back(*id);
  }
  options.n_logprobs = flags.n_logprobs;
  options.want_prompt_logprobs = flags.prompt_logprobs;
  options.is_cancelled = is_interrupted;
  return options;
}

void print_closing_line(const engine::Generation& generation, uint64_t seed) {
  const engine::GenerateStats& stats = generation.stats;
  note(fmt::format(
      "{} prompt + {} generated tokens ({}), first token after {:.1f} ms, prompt {:.1f} tok/s, "
      "generation {:.1f} tok/s, seed {}",
      stats.n_prompt, stats.n_generated, engine::describe(generation.finish_reason),
      stats.time_to_first_token_ms, stats.prefill_rate(), stats.decode_rate(), seed));
}

/// Writes what was generated; the text ends with a line end whatever the model said.
void write_text(StdoutStream& out, std::string_view text) {
  out.write(text);
  out.flush();
}

/// The part that needs a model.
int generate(const CommandLine& line, const GenerateFlags& flags, std::string prompt_text) {
  const Result<engine::LoadedModel> loaded = load(flags.model);
  if (!loaded.ok()) return runtime_error(loaded.error().message);
  const models::ModelSpec& spec = loaded->spec();
  engine::GenerateOptions options = engine_options(flags, loaded->tokenizer);
  if (const Status status = validate(options, spec.vocab_size); !status.ok()) {
    return line.fail(status.error().message);
  }
  const Result<int32_t> ctx = choose_context(flags.ctx, spec);
  if (!ctx.ok()) return line.fail(ctx.error().message);
  const Result<Prompt> prompt = tokenize_prompt(flags, *loaded, std::move(prompt_text));
  if (!prompt.ok()) return runtime_error(prompt.error().message);
  const Status length = engine::check_prompt_length(prompt->ids.size(), *ctx, flags.max_tokens);
  if (!length.ok()) {
    return runtime_error(fmt::format(
        "{}: shorten the prompt{}", length.error().message,
        *ctx < spec.context_len ? fmt::format(" or raise --ctx (up to {})", spec.context_len)
                                : ""));
  }

  const int64_t wanted = static_cast<int64_t>(prompt->ids.size()) + flags.max_tokens;
  options.context_len = *ctx;
  const auto cache_tokens = static_cast<int32_t>(std::min<int64_t>(wanted, *ctx));
  models::DecoderOptions decoder_options = engine::single_sequence_options(
      cache_tokens, thread_count(flags.runtime),
      flags.prompt_logprobs ? engine::LogitRows::kMany : engine::LogitRows::kLast);
  decoder_options.backend = backend_options(flags.runtime);
  if (!flags.quiet) decoder_options.backend.on_note = note;
  const auto n_prompt = static_cast<int32_t>(prompt->ids.size());
  decoder_options.max_batch_tokens = std::min(decoder_options.max_batch_tokens, n_prompt);
  if (const Status status = check_memory(*loaded->model, decoder_options); !status.ok()) {
    return runtime_error(status.error().message);
  }

  Result<engine::Generator> generator = engine::Generator::create(*loaded, decoder_options);
  if (!generator.ok()) return runtime_error(generator.error().message);
  StdoutStream out;
  const bool is_streamed = !flags.json && !flags.no_stream;
  if (is_streamed) {
    options.on_text = [&out](std::string_view text) {
      write_text(out, text);
      return out.is_open();
    };
  }
  catch_interrupts();
  if (!flags.quiet) announce(flags.model, *loaded, flags.runtime);
  if (is_streamed && flags.echo) write_text(out, prompt->text);
  const Result<engine::Generation> generation = generator->run(prompt->ids, options);
  if (!generation.ok()) return runtime_error(generation.error().message);

  if (flags.json) {
    const GenerateRequestInfo request{loaded->name, prompt->text, prompt->ids, flags.sampling.seed};
    out.write(generation_json(request, *generation, loaded->tokenizer));
  } else {
    if (!is_streamed && flags.echo) out.write(prompt->text);
    if (!is_streamed) out.write(generation->text);
    if (!generation->text.ends_with('\n')) out.write("\n");
  }
  const int code = out.close();
  if (!flags.quiet) print_closing_line(*generation, flags.sampling.seed);
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
