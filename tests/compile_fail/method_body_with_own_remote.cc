// EXPECT: twinkle: this class is not remote: declare it with TWINKLE_REMOTE_CLASS, in its namespace, before a Remote of it is used; a method whose body uses a Remote of its own class is defined behind that declaration, outside the class
#include <twinkle/twinkle.h>

class Node {
 public:
  int Value() { return 1; }
  int Ask(const twinkle::Remote<Node>& other) { return *other.Value().Get(); }
};
TWINKLE_REMOTE_CLASS(Node, (), (Value), (Ask, twinkle::Dispatch::kAll))
