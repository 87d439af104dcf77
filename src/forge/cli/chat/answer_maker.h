// One message answered: the prompt made to fit, the answer generated and printed, the numbers kept.
#pragma once

#include <cstdint>
#include <string>

#include "forge/base/result.h"
#include "forge/cli/chat/answer_printer.h"
#include "forge/cli/chat/chat_model.h"
#include "forge/cli/chat/conversation.h"
#include "forge/cli/chat/line_source.h"
#include "forge/cli/chat/settings.h"
#include "forge/generate.h"

namespace forge::cli::chat {

/// What an answer took.
struct AnswerStats {
  GenerateStats timings;
  int64_t computed_tokens = 0;  // of the prompt
  int64_t cached_tokens = 0;    // of the prompt, from the turns before
  FinishReason finish_reason = FinishReason::kEndToken;
  uint64_t seed = 0;
};

/// How many of the oldest turns were dropped from the context to make room.
struct Fitted {
  ChatText text;
  size_t n_dropped = 0;
};

/// Drops the oldest turns where too little room is left for an answer (an eighth of the context, or
/// max_tokens where that is less), until a quarter is free, so that it need not be done again at
/// every turn. Fails where the last message alone does not fit; the conversation is as it was then.
[[nodiscard]] Result<Fitted> fit_context(Conversation& conversation, const ChatModel& model,
                                         const Settings& settings);

/// Generates the answer to the last turn, prints it, and puts it into the conversation. Ctrl-C, two
/// Ctrl-D and a stdout that is closed end it (kCancelled); what came until then stays. Fails where
/// the engine does; the conversation then has no answer.
[[nodiscard]] Result<AnswerStats> make_answer(Conversation& conversation, ChatModel& model,
                                              const Settings& settings, ChatText text,
                                              LineSource& lines, StdoutStream& out,
                                              const PrintStyle& style);

}  // namespace forge::cli::chat
