#include "forge/cli/chat/session.h"

#include <fmt/format.h>

#include <utility>

#include "forge/cli/chat/saved_chat.h"
#include "forge/cli/chat/signals.h"
#include "forge/cli/control_filter.h"
#include "forge/cli/report.h"
#include "forge/cli/text_input.h"

namespace forge::cli::chat {

namespace {

/// Whether the two have another logit_bias.
bool differs_in_bias(const Settings& a, const Settings& b) {
  return setting_text(a, "logit_bias") != setting_text(b, "logit_bias");
}

}  // namespace

Session::Session(const ChatFlags& flags, std::unique_ptr<ChatModel> model, const Terminal& terminal,
                 bool is_interactive)
    : flags_(flags),
      model_(std::move(model)),
      terminal_(terminal),
      is_interactive_(is_interactive),
      defaults_(settings_of(flags)),
      settings_(defaults_) {
  conversation_.set_system(flags.system);
}

Status Session::load(const std::string& path) {
  FORGE_TRY(SavedChat chat, load_chat(expand_home(path), defaults_));
  const bool is_other_model = !chat.model.empty() && chat.model != model_->info().name;
  std::string left_out;
  if (is_other_model && differs_in_bias(chat.settings, defaults_)) {
    chat.settings.sampling.logit_bias = defaults_.sampling.logit_bias;
    left_out = "; its logit_bias is left out, since ids are other tokens here";
  }
  FORGE_TRY_STATUS(model_->check(chat.settings));
  if (model_->is_plain() && chat.conversation.system()) {
    return make_error("{}: has a system message, and {} has no chat template for one", path,
                      model_->info().name);
  }
  settings_ = std::move(chat.settings);
  conversation_ = std::move(chat.conversation);
  last_.reset();
  say(fmt::format("{}: {} messages{}{}", path, conversation_.n_messages(),
                  is_other_model ? fmt::format(", said with {}", chat.model) : "", left_out));
  return {};
}

int Session::run(LineSource& lines, std::optional<LineHistory> history) {
  lines_ = &lines;
  MessageInput input;
  bool was_interrupted = false;  // at an empty prompt
  std::string line;
  while (!is_done_ && out_.is_open()) {
    const LineOutcome outcome = lines.read(input.is_open(), line);
    if (outcome == LineOutcome::kFailed) {
      fail(lines.error());
      break;
    }
    if (outcome == LineOutcome::kInterrupt) {
      if (!is_interactive_) return kInterrupted;
      const bool was_empty = line.empty() && !input.is_open();
      input.reset();
      if (was_empty && std::exchange(was_interrupted, true)) break;
      if (was_empty) say("Ctrl-C once more or Ctrl-D to leave");
      continue;
    }
    was_interrupted = false;
    const bool is_end = outcome == LineOutcome::kEnd;
    if (is_end ? !input.finish() : !input.add(line)) {
      if (is_end) break;
      continue;
    }
    const Input taken = input.take();
    if (is_interactive_) keep(taken, lines, history);
    take(taken);
    if (is_end) break;
  }
  const int code = out_.close();
  if (!is_interactive_ && (is_interrupted() || is_terminated())) return kInterrupted;
  return has_failed_ ? kRuntimeError : code;
}

void Session::keep(const Input& input, LineSource& lines, std::optional<LineHistory>& history) {
  // Typed again it must mean the same.
  const bool needs_quotes =
      input.is_literal && input.text.starts_with('/') && input.text.find('\n') == std::string::npos;
  const std::string text = needs_quotes ? "\"\"\"" + input.text + "\"\"\"" : input.text;
  lines.remember(text);
  if (!history) return;
  if (const Status kept = history->add(text); !kept.ok()) {
    say(fmt::format("warning: the history is not written: {}", kept.error().message));
    history.reset();
  }
}

void Session::take(const Input& input) {
  if (const Status valid = check_utf8(input.text, "the message"); !valid.ok()) {
    return fail(valid.error().message);
  }
  if (!input.is_literal && is_command(input.text)) {
    const Result<Command> command = parse_command(input.text);
    if (!command.ok()) return fail(command.error().message);
    return carry_out(*command);
  }
  const bool is_blank = input.text.find_first_not_of(" \t\n") == std::string::npos;
  if (is_blank) return;
  const bool is_escaped = !input.is_literal && input.text.starts_with("//");
  ask(is_escaped ? input.text.substr(1) : input.text);
}

void Session::ask(std::string message) {
  conversation_.add_user(std::move(message));
  if (!answer()) conversation_.undo();
}

bool Session::answer() {
  Result<Fitted> fitted = fit_context(conversation_, *model_, settings_);
  if (!fitted.ok()) {
    fail(fitted.error().message);
    return false;
  }
  if (fitted->n_dropped > 0) {
    say(fmt::format(
        "the context is full ({} tokens): the model no longer sees the {} oldest "
        "message{}",
        model_->context_len(), 2 * fitted->n_dropped, 2 * fitted->n_dropped == 1 ? "" : "s"));
  }
  take_interrupt();
  const Result<AnswerStats> stats = make_answer(conversation_, *model_, settings_,
                                                std::move(fitted->text), *lines_, out_, style());
  if (!stats.ok()) {
    fail(stats.error().message);
    return false;
  }
  report(*stats);
  if (is_interactive_) take_interrupt();
  if (is_terminated() || is_interrupted()) is_done_ = true;
  return true;
}

void Session::report(const AnswerStats& stats) {
  last_ = stats;
  ++totals_.n_answers;
  totals_.computed_tokens += stats.computed_tokens;
  totals_.cached_tokens += stats.cached_tokens;
  totals_.generated_tokens += stats.timings.n_generated;
  const Answer& answer = *conversation_.turns().back().answer;
  if (stats.finish_reason == FinishReason::kCancelled && is_interactive_) {
    say("stopped; what was said stays in the conversation (/regen, /undo)");
  } else if (stats.finish_reason == FinishReason::kContextFull) {
    say(fmt::format("the answer was cut: the context of {} tokens is full", model_->context_len()));
  } else if (stats.finish_reason == FinishReason::kMaxTokens && settings_.max_tokens) {
    say(fmt::format("the answer was cut at max_tokens {}", *settings_.max_tokens));
  }
  if (!style().shows_thoughts && !answer.reasoning.empty() &&
      !std::exchange(has_told_of_thoughts_, true)) {
    say("thoughts are left out (--thoughts show)");
  }
  if (!settings_.verbose) return;
  note(
      fmt::format("{} prompt tokens computed, {} from the cache, {} generated ({}), first token "
                  "after {:.1f} ms, generation {:.1f} tok/s, seed {}",
                  stats.computed_tokens, stats.cached_tokens, stats.timings.n_generated,
                  describe(stats.finish_reason), stats.timings.time_to_first_token_ms,
                  stats.timings.decode_rate(), stats.seed));
}

void Session::fail(std::string_view message) {
  has_failed_ = has_failed_ || !is_interactive_;
  (void)runtime_error(harmless(message));
}

void Session::say(std::string_view message) const {
  if (!flags_.quiet) note(harmless(message));
}

PrintStyle Session::style() const {
  const bool is_terminal = terminal_.is_output;
  return {.is_terminal = is_terminal,
          .has_color = is_terminal && terminal_.wants_color,
          .wraps = is_terminal && !terminal_.is_dumb && settings_.wrap,
          .shows_thoughts = settings_.thoughts == Thoughts::kShow ||
                            (settings_.thoughts == Thoughts::kAuto && is_terminal)};
}

}  // namespace forge::cli::chat
