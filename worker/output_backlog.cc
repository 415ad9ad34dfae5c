#include "worker/output_backlog.h"

#include <absl/strings/str_cat.h>

#include <memory>

namespace twinkle::worker {

void OutputBacklog::Add(OutputStore::Message message) {
  const size_t size = message->ByteSizeLong();
  waiting_.emplace_back(std::move(message), size);
  bytes_ += size;
  while (bytes_ > most_bytes_ && waiting_.size() > 1) Lose();
}

void OutputBacklog::Lose() {
  const auto& [message, size] = waiting_.front();
  lost_ += static_cast<uint64_t>(message->lines_size());
  if (message->lines_size() > 0) lost_of_ = message->lines(0);
  bytes_ -= size;
  waiting_.pop_front();
}

OutputStore::Message OutputBacklog::Next() {
  if (lost_ > 0) {
    auto note = std::make_shared<v1::Output>();
    lost_of_.set_text(absl::StrCat("[twinkle-worker: ", std::exchange(lost_, 0),
                                   " lines of the job are missing here: they came faster than they were read; "
                                   "--log-dir keeps them all]"));
    lost_of_.set_error(true);
    lost_of_.set_continues(false);
    *note->add_lines() = std::move(lost_of_);
    return note;
  }
  if (waiting_.empty()) return nullptr;
  OutputStore::Message next = std::move(waiting_.front().first);
  bytes_ -= waiting_.front().second;
  waiting_.pop_front();
  return next;
}

}  // namespace twinkle::worker
