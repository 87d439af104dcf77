// Blocks in an order, each in it at most once: the least recently used ones first.
#pragma once

#include <cstdint>
#include <vector>

namespace forge::cache {

/// A doubly linked list over the numbers 0 .. n_blocks - 1; every operation takes constant time and
/// none allocates. The caller knows which blocks are in it.
class BlockList {
 public:
  explicit BlockList(int32_t n_blocks)
      : end_(n_blocks), links_(static_cast<size_t>(n_blocks) + 1, Link{n_blocks, n_blocks}) {}

  [[nodiscard]] int32_t size() const { return size_; }
  /// The one that has been in the list for longest; it must not be empty.
  [[nodiscard]] int32_t front() const { return link(end_).next; }

  void push_back(int32_t block) {
    const int32_t last = link(end_).previous;
    link(block) = {last, end_};
    link(last).next = block;
    link(end_).previous = block;
    ++size_;
  }

  void remove(int32_t block) {
    link(link(block).previous).next = link(block).next;
    link(link(block).next).previous = link(block).previous;
    --size_;
  }

 private:
  struct Link {
    int32_t previous;
    int32_t next;
  };
  Link& link(int32_t block) { return links_[static_cast<size_t>(block)]; }
  [[nodiscard]] const Link& link(int32_t block) const { return links_[static_cast<size_t>(block)]; }

  int32_t end_;  // the link before the first and after the last
  int32_t size_ = 0;
  std::vector<Link> links_;
};

}  // namespace forge::cache
