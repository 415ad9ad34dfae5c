// What calls, and what comes of them, are called in messages.
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

// A text, or a call's "Policy.Generate [train.cc:78]", which is put together when somebody asks for it: most calls do
// well, and nobody does.
class CallName {
 public:
  CallName() = default;
  CallName(std::string text) : text_(std::move(text)) {}  // NOLINT(google-explicit-constructor)
  // Of a call. Its class, its method and `file`, a path, are constants of the program.
  CallName(std::string_view class_name, const char* method, const char* file, int line)
      : class_name_(class_name.data(), class_name.size()), method_(method), file_(file), line_(line) {}

  std::string text() const;

 private:
  std::string text_;
  absl::string_view class_name_;  // empty: there is a text
  const char* method_ = "";
  const char* file_ = "";
  int line_ = 0;
};

// The same at once.
std::string CallText(absl::string_view class_name, absl::string_view method, absl::string_view file, int line);

}  // namespace twinkle::base
