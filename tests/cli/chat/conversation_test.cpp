// Trusts: the rules stated in conversation.h and plain_prompt's in chat_model.h.
#include "forge/cli/chat/conversation.h"

#include <gtest/gtest.h>

#include "forge/cli/chat/chat_model.h"

namespace forge::cli::chat {
namespace {

Answer answer(std::string content, std::string finish_reason = "stop") {
  Answer made;
  made.content = std::move(content);
  made.finish_reason = std::move(finish_reason);
  return made;
}

Conversation with_turns(int n) {
  Conversation conversation;
  for (int i = 0; i < n; ++i) {
    conversation.add_user("q" + std::to_string(i));
    conversation.set_answer(answer("a" + std::to_string(i)));
  }
  return conversation;
}

TEST(Conversation, CountsMessages) {
  Conversation conversation = with_turns(2);
  EXPECT_EQ(conversation.n_messages(), 4u);
  conversation.set_system("s");
  conversation.add_user("open");
  EXPECT_EQ(conversation.n_messages(), 6u);
}

TEST(Conversation, UndoTakesTheLastTurn) {
  Conversation conversation = with_turns(2);
  EXPECT_EQ(conversation.undo()->user, "q1");
  EXPECT_EQ(conversation.undo()->user, "q0");
  EXPECT_FALSE(conversation.undo().has_value());
}

TEST(Conversation, AnAnswerIsDroppedAndPutBack) {
  Conversation conversation = with_turns(1);
  EXPECT_TRUE(conversation.drop_answer());
  EXPECT_FALSE(conversation.turns()[0].answer.has_value());
  EXPECT_EQ(conversation.turns()[0].n_regenerated, 1u);
  conversation.restore_answer(answer("a0"));
  EXPECT_EQ(conversation.turns()[0].answer->content, "a0");
  EXPECT_EQ(conversation.turns()[0].n_regenerated, 0u);
  EXPECT_FALSE(Conversation().drop_answer());
}

TEST(Conversation, TheOldestAreHiddenButNotTheLast) {
  Conversation conversation = with_turns(3);
  EXPECT_TRUE(conversation.drop_oldest());
  EXPECT_TRUE(conversation.drop_oldest());
  EXPECT_FALSE(conversation.drop_oldest());
  EXPECT_EQ(conversation.first_in_context(), 2u);
  EXPECT_EQ(conversation.turns().size(), 3u);
}

TEST(Conversation, UndoOfAllThatIsSeenBringsTheHiddenBack) {
  Conversation conversation = with_turns(3);
  while (conversation.drop_oldest()) {
  }
  (void)conversation.undo();
  EXPECT_EQ(conversation.first_in_context(), 0u);
}

TEST(Conversation, ClearKeepsTheSystemMessage) {
  Conversation conversation = with_turns(2);
  conversation.set_system("s");
  conversation.drop_oldest();
  conversation.clear();
  EXPECT_EQ(conversation.n_messages(), 1u);
  EXPECT_EQ(conversation.first_in_context(), 0u);
}

TEST(PlainPrompt, ATextThatEndedIsNotContinued) {
  Conversation conversation = with_turns(1);
  conversation.add_user("The dragon");
  EXPECT_EQ(plain_prompt(conversation), "The dragon");
}

TEST(PlainPrompt, ATextThatWasCutGoesOn) {
  Conversation conversation;
  conversation.add_user("Once upon");
  conversation.set_answer(answer(" a time", "length"));
  conversation.add_user("there was");
  EXPECT_EQ(plain_prompt(conversation), "Once upon a time there was");
  conversation.set_answer(answer(" a cat.\n", "cancelled"));
  conversation.add_user("It slept");
  EXPECT_EQ(plain_prompt(conversation), "Once upon a time there was a cat.\nIt slept");
}

TEST(PlainPrompt, WhatIsHiddenIsLeftOut) {
  Conversation conversation;
  conversation.add_user("one");
  conversation.set_answer(answer(" two", "length"));
  conversation.add_user("three");
  conversation.drop_oldest();
  EXPECT_EQ(plain_prompt(conversation), "three");
}

}  // namespace
}  // namespace forge::cli::chat
