// Conversations in files: JSON in the form of OpenAI's messages, with model and settings beside.
#pragma once

#include <string>
#include <string_view>

#include "forge/base/result.h"
#include "forge/cli/chat/conversation.h"
#include "forge/cli/chat/settings.h"

namespace forge::cli::chat {

///   {"forge_chat": 1, "model": "NAME", "settings": {"temperature": 0.8, ...},
///    "messages": [{"role": "user", "content": "..."},
///                 {"role": "assistant", "content": "...", "reasoning_content": "...",
///                  "finish_reason": "stop"}]}
struct SavedChat {
  std::string model;  // its name, for people; may be empty
  Settings settings;
  Conversation conversation;
};

[[nodiscard]] std::string to_json(const SavedChat& chat);

/// Reads that, and any object with messages of the roles system, user and assistant; what is absent
/// comes from defaults. Fails where messages are not an optional system message and then turns of a
/// user's message and at most one answer, on content that is no text, and on settings out of range.
/// origin names the text in messages.
[[nodiscard]] Result<SavedChat> from_json(std::string_view text, std::string_view origin,
                                          const Settings& defaults);

/// Writes a file whole or not at all (a new one in the same folder is renamed), readable by its
/// owner only. Fails where there is a file already that is no saved chat.
[[nodiscard]] Status save_chat(const SavedChat& chat, const std::string& path);
[[nodiscard]] Result<SavedChat> load_chat(const std::string& path, const Settings& defaults);

/// The path a person means: "~/" at its start is the home folder.
[[nodiscard]] std::string expand_home(std::string path);

}  // namespace forge::cli::chat
