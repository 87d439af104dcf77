// One thread that serves its share of the connections.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <unordered_set>

namespace forge::server::http {

class Connection;

/// A thread and its io_context. Connections are dealt to one and stay there, so that two of their
/// tasks never run side by side. add(), remove() and for_each() on the thread itself.
class IoThread {
 public:
  IoThread();
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  void start();
  /// Leaves what waits in the context where it is, and joins. Any other thread; idempotent.
  void stop();

  void add(Connection* connection) { connections_.insert(connection); }
  void remove(Connection* connection) { connections_.erase(connection); }
  /// Calls f on a copy of the set, so f may close connections.
  template <typename F>
  void for_each(F f) {
    const auto copy = connections_;
    for (Connection* connection : copy) f(*connection);
  }

 private:
  // Before the context: connections that are destroyed with it take themselves out.
  std::unordered_set<Connection*> connections_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace forge::server::http
