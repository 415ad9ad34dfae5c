// Arguments in braces, beside each other and beside what has a type.
#include <twinkle/twinkle.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

struct Inner {
  int a = 0;
  std::string b = {};
};
struct Sent {
  int number = 0;
  std::string text = {};
  Inner inner = {};
  std::vector<int> numbers = {};
};

class Taker {
 public:
  void One(const Sent& sent);
  void Several(const Sent& sent, int number, const std::string& text);
  void Lists(const std::vector<std::string>& texts, const std::map<std::string, int>& numbers);
  void Number(int number);
  void Nothing();
  void Any(const twinkle::Value& value);
  void Reference(const twinkle::Lazy<int>& lazy, const Inner& inner);
};
TWINKLE_REMOTE_CLASS(Taker, (), (One, twinkle::Dispatch::kAll), (Several, twinkle::Dispatch::kAll),
                     (Lists, twinkle::Dispatch::kAll), (Number), (Nothing), (Any), (Reference))

void Call(const twinkle::Remote<Taker>& taker, const twinkle::Lazy<Sent>& sent, const twinkle::Lazy<int>& number) {
  taker.One({1, "x"});
  taker.One({});
  taker.One({.number = 3});
  taker.One({1, "x", {1, "y"}, {1, 2, 3}});
  taker.One(sent);
  taker.One(twinkle::PerRank<Sent>({Sent{}, Sent{}}));
  taker.Several({1, "x"}, 1, "x");
  taker.Several({1, "x"}, {1}, {"a"});
  taker.Several(sent, {1}, {"a"});
  taker.Several(Sent{1, "x"}, number, "x");
  taker.Lists({"a", "b"}, {{"a", 1}, {"b", 2}});
  taker.Lists({}, {});
  taker.Number({1});
  taker.Number({});
  taker.Number('c');
  taker.Nothing();
  taker.Any({});
  taker.Any("x");
  taker.Any(twinkle::Value::Dict{{"a", 1}});
  taker.Reference(number, {1, "x"});
  taker.Rank(0).One({1, "x"});
  taker.Rank(0).Lists({"a"}, {{"b", 1}});
  const std::function<twinkle::Lazy<void>(int)> function = taker.Number;
  auto method = taker.Number;
  method(std::invoke(taker.Number, 1).Ready());
}
