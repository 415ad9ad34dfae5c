#include <twinkle/twinkle.h>

#include <chrono>
#include <vector>

const twinkle::Lazy<int> a, b;
auto any = twinkle::WaitAny({a, b});
auto any_in_time = twinkle::WaitAny({a, b}, std::chrono::seconds(1));
auto all = twinkle::WaitAll({twinkle::Lazy<void>(), twinkle::Lazy<void>()});
auto any_of_list = twinkle::WaitAny(std::vector{a, b}, absl::Seconds(1));
