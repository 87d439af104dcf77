#include "forge/cli/chat/answer_maker.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "forge/cli/chat/signals.h"
#include "forge/server/openai/reasoning.h"

namespace forge::cli::chat {
namespace {

using server::openai::ReasoningSplitter;

/// Parts what comes into thoughts and answer, prints both, and keeps them.
class AnswerParts {
 public:
  AnswerParts(const ChatModel& model, const ChatText& text, AnswerPrinter& printer)
      : printer_(printer) {
    if (const auto tags = model.think_tags()) splitter_.emplace(*tags, text.start);
  }

  void add(std::string_view piece) {
    if (!splitter_) return take({.reasoning = {}, .content = std::string(piece)});
    take(splitter_->add(piece));
  }
  void finish() {
    if (splitter_) take(splitter_->flush());
    printer_.finish();
  }
  [[nodiscard]] Answer answer() && { return std::move(answer_); }

 private:
  void take(const ReasoningSplitter::Parts& parts) {
    printer_.thoughts(parts.reasoning);
    printer_.content(parts.content);
    answer_.reasoning += parts.reasoning;
    answer_.content += parts.content;
  }

  std::optional<ReasoningSplitter> splitter_;
  AnswerPrinter& printer_;
  Answer answer_;
};

Request request_of(const ChatModel& model, const Settings& settings, const Turn& turn,
                   ChatText text) {
  Request request;
  request.prompt = std::move(text.ids);
  request.sampling = settings.sampling;
  // Another answer to the same message needs another seed.
  request.sampling.seed =
      settings.seed ? choice_seed(*settings.seed, static_cast<int32_t>(turn.n_regenerated))
                    : std::random_device{}();
  request.max_tokens = settings.max_tokens;
  request.stop_strings = settings.stop;
  // Without a template nothing else ends a text before the context is full.
  constexpr int32_t kPlainTokens = 256;
  if (model.is_plain() && !request.max_tokens) request.max_tokens = kPlainTokens;
  return request;
}

}  // namespace

Result<Fitted> fit_context(Conversation& conversation, const ChatModel& model,
                           const Settings& settings) {
  const int64_t context = model.context_len();
  const int64_t room =
      std::min<int64_t>(settings.max_tokens.value_or(model.context_len()), context / 8);
  Conversation trial = conversation;
  Fitted fitted;
  FORGE_TRY(fitted.text, model.text_of(trial, settings));
  auto n_prompt = static_cast<int64_t>(fitted.text.ids.size());
  if (n_prompt == 0) return make_error("the message is empty: give at least one character");
  if (n_prompt + room <= context) return fitted;
  while (n_prompt + std::max(room, context / 4) > context && trial.drop_oldest()) {
    ++fitted.n_dropped;
    FORGE_TRY(fitted.text, model.text_of(trial, settings));
    n_prompt = static_cast<int64_t>(fitted.text.ids.size());
  }
  if (n_prompt >= context) {
    return Error{fmt::format("the message takes {} tokens with all that belongs to it, the context "
                             "has {}: shorten it{}",
                             n_prompt, context, conversation.system() ? ", or /system" : ""),
                 ErrorKind::kTooLong};
  }
  conversation = std::move(trial);
  return fitted;
}

Result<AnswerStats> make_answer(Conversation& conversation, ChatModel& model,
                                const Settings& settings, ChatText text, LineSource& lines,
                                StdoutStream& out, const PrintStyle& style) {
  AnswerPrinter printer(out, style);
  AnswerParts parts(model, text, printer);
  GenerateCallbacks callbacks{
      .on_text =
          [&](std::string_view piece) {
            parts.add(piece);
            return out.is_open();
          },
      .is_cancelled =
          [&] { return is_interrupted() || is_terminated() || lines.ends_ahead() >= 2; }};
  Request request = request_of(model, settings, conversation.turns().back(), std::move(text));
  AnswerStats stats;
  stats.seed = request.sampling.seed;
  const EngineStats before = model.engine().stats();
  const Result<Generation> generation =
      forge::generate(model.engine(), std::move(request), callbacks);
  parts.finish();
  if (!generation.ok()) return generation.error();
  const EngineStats after = model.engine().stats();
  stats.timings = generation->stats;
  stats.computed_tokens = after.prompt_tokens - before.prompt_tokens;
  stats.cached_tokens = after.cached_tokens - before.cached_tokens;
  stats.finish_reason = generation->finish_reason;
  Answer answer = std::move(parts).answer();
  answer.finish_reason = finish_word(generation->finish_reason);
  conversation.set_answer(std::move(answer));
  return stats;
}

}  // namespace forge::cli::chat
