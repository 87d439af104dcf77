#include "forge/server/http/io_thread.h"

namespace forge::server::http {

IoThread::IoThread() : work_(context_.get_executor()) {}

IoThread::~IoThread() { stop(); }

void IoThread::start() {
  thread_ = std::thread([this] { context_.run(); });
}

void IoThread::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace forge::server::http
