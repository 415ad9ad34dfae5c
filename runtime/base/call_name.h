// Names of calls in messages.
#pragma once

#include <absl/strings/string_view.h>

#include <string>
#include <string_view>
#include <utility>

namespace twinkle::base {

// The last part of a qualified name, without template arguments.
std::string ShortName(absl::string_view class_name);
// The base name of a path.
std::string BaseName(absl::string_view path);

// The name of a call, "Policy.Generate [train.cc:78]", or any other text. It is put together only when somebody asks
// for it: nobody does for calls that succeed.
class CallName {
 public:
  CallName() = default;
  CallName(std::string text) : text_(std::move(text)) {}  // NOLINT(google-explicit-constructor)
  // The name of a call. The class, the method and the path `file` must be constants of the program.
  CallName(std::string_view class_name, const char* method, const char* file, int line)
      : class_name_(class_name.data(), class_name.size()), method_(method), file_(file), line_(line) {}

  std::string text() const;

 private:
  std::string text_;
  absl::string_view class_name_;  // empty: `text_` is the name
  const char* method_ = "";
  const char* file_ = "";
  int line_ = 0;
};

// The name of a call as text at once.
std::string CallText(absl::string_view class_name, absl::string_view method, absl::string_view file, int line);

}  // namespace twinkle::base
