// Trusts: what api_server.h says of the server's end; memory errors show under the sanitizers.
#include "forge/server/api/api_server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/engine/bundled.h"
#include "tests/server/test_client.h"

namespace forge::server {
namespace {

std::unique_ptr<Engine> make_engine() {
  EngineOptions options;
  options.n_threads = 1;
  return engine::make_engine(engine::bundled_model(), options);
}

// Those that were read, or waited for it, used connections that had gone with their threads.
TEST(ApiServer, MayEndWhileLongBodiesAreRead) {
  const auto engine = make_engine();
  auto server = ApiServer::start(*engine, {});
  ASSERT_TRUE(server.ok()) << server.error().message;
  // One long word of random letters: what the tokenizer takes longest for.
  std::string text(12 << 20, ' ');
  std::mt19937 random(1);
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  const std::string call = http::post("/tokenize", R"({"prompt":")" + text + R"("})");
  // More than the server's end waits for: two at a time are read, each for about a second.
  std::vector<http::TestClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back((*server)->port());
    ASSERT_TRUE(clients.back().send(call));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // for what is still in the sockets
  server->reset();
}

}  // namespace
}  // namespace forge::server
