#include "runtime/base/thrown.h"

#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

namespace twinkle::base {
namespace {

constexpr int kMostCauses = 16;  // more than people read, and few enough for a small stack

std::string TypeOfThrown() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "something";
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type->name(), nullptr, nullptr, nullptr),
                                                    &std::free);
  return name != nullptr ? name.get() : type->name();
}

template <class T>
absl::Status Value(const char* type, const T& value) {
  return absl::UnknownError(absl::StrCat("it threw ", type, ": ", value));
}

absl::Status StatusOfThrown(int causes);

// The texts of the exceptions that caused this one (std::throw_with_nested). Empty: it has none.
std::string Causes(const std::exception& thrown, int causes) {
  // std::rethrow_if_nested ends the program if an exception was nested outside a handler, and so has no cause.
  const auto* const nested = dynamic_cast<const std::nested_exception*>(&thrown);
  if (causes == 0 || nested == nullptr || nested->nested_ptr() == nullptr) return {};
  try {
    nested->rethrow_nested();
  } catch (...) {
    return absl::StrCat("; caused by: ", StatusOfThrown(causes - 1).message());
  }
}

absl::Status StatusOfThrown(int causes) {
  try {
    throw;
  } catch (const absl::BadStatusOrAccess& failed) {
    return failed.status();
  } catch (const std::exception& thrown) {
    return absl::UnknownError(absl::StrCat(absl::NullSafeStringView(thrown.what()), Causes(thrown, causes)));
  } catch (const absl::Status& failed) {
    return failed.ok() ? absl::UnknownError("it threw an absl::Status that is OK") : failed;
  } catch (const std::string& text) {
    return Value("a std::string", text);
  } catch (const char* text) {
    return Value("a const char*", absl::NullSafeStringView(text));
  } catch (int number) {
    return Value("an int", number);
  } catch (...) {
    return absl::UnknownError(
        absl::StrCat("it threw something of type ", TypeOfThrown(), ", which is no std::exception"));
  }
}

}  // namespace

absl::Status ThrownStatus() { return StatusOfThrown(kMostCauses); }

}  // namespace twinkle::base
