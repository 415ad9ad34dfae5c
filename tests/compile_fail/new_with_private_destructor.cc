// FIRST: twinkle: New: the class's destructor is private, protected or deleted: make it public
#include <twinkle/twinkle.h>

class Counted {
 public:
  void Add() {}

 private:
  ~Counted() = default;
};
TWINKLE_REMOTE_CLASS(Counted, (), (Add))

auto counted = twinkle::New<Counted>({});
