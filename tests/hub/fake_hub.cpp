// Starts tests/hub/fake_hub.py with the system's Python, which needs no packages for it.
#include "tests/hub/fake_hub.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <sstream>

#include "forge/base/check.h"
#include "tests/python_test.h"

namespace forge::hub {

FakeHub::FakeHub(const std::vector<std::string>& certificate_and_key) {
  std::filesystem::create_directories(folder_.path("repos"));
  if (!has_python()) return;
  std::vector<std::string> command = {"/usr/bin/env", "python3", "-B",
                                      FORGE_SOURCE_DIR "/tests/hub/fake_hub.py", folder_.path()};
  command.insert(command.end(), certificate_and_key.begin(), certificate_and_key.end());
  auto server = server::client::ChildServer::start(command, [](std::string_view) {});
  FORGE_CHECK(server.ok(), "{}", server.error().message);
  server_ = std::move(server).value();
  url_ = server_->url();
}

void FakeHub::add(std::string_view repo, std::string_view file, std::string_view bytes,
                  std::string_view revision) const {
  folder_.write(
      "repos/" + std::string(repo) + "/" + std::string(revision) + "/" + std::string(file), bytes);
}

void FakeHub::reset() const {
  for (const char* name : {"faults.json", "access.json", "go", "requests.log"}) {
    std::filesystem::remove(folder_.path(name));
  }
}

std::vector<std::string> FakeHub::requests() const {
  std::vector<std::string> lines;
  if (!std::filesystem::exists(folder_.path("requests.log"))) return lines;
  std::istringstream in(read_file(folder_.path("requests.log")));
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

int FakeHub::count(const std::vector<std::string>& texts) const {
  const std::vector<std::string> lines = requests();
  return static_cast<int>(std::count_if(lines.begin(), lines.end(), [&](const auto& line) {
    return std::all_of(texts.begin(), texts.end(),
                       [&](const auto& text) { return line.find(text) != std::string::npos; });
  }));
}

std::string random_bytes(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(n, '\0');
  for (char& c : bytes) c = static_cast<char>(random() >> 32);
  return bytes;
}

}  // namespace forge::hub
