#include "forge/convert/background_writer.h"

namespace forge::convert {

BackgroundWriter::BackgroundWriter(formats::OutputFile& file)
    : file_(file), thread_([this] { work(); }) {}

BackgroundWriter::~BackgroundWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Status BackgroundWriter::write(std::span<const std::byte> bytes) {
  FORGE_TRY_STATUS(finish());
  {
    const std::lock_guard lock(mutex_);
    in_hand_ = bytes;
  }
  changed_.notify_all();
  return {};
}

Status BackgroundWriter::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return in_hand_.empty(); });
  return file_.status();
}

void BackgroundWriter::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !in_hand_.empty(); });
    if (in_hand_.empty()) return;
    const std::span<const std::byte> bytes = in_hand_;
    lock.unlock();
    file_.write(bytes);
    lock.lock();
    in_hand_ = {};
    changed_.notify_all();
  }
}

}  // namespace forge::convert
