#include "runtime/weights/move.h"

#include <algorithm>
#include <cstdlib>

namespace twinkle::weights {
namespace {

// Steps that are one longer step: going on with the inner one leads to where the outer one leads.
void Merge(std::vector<Step>* steps) {
  std::vector<Step> merged;
  for (const Step& step : *steps) {
    if (!merged.empty() && merged.back().from == step.from * step.count && merged.back().to == step.to * step.count) {
      merged.back() = {merged.back().count * step.count, step.from, step.to};
    } else {
      merged.push_back(step);
    }
  }
  *steps = std::move(merged);
}

}  // namespace

int64_t Move::elements() const {
  int64_t elements = 1;
  for (const Step& step : steps) elements *= step.count;
  return elements;
}

Move MoveOf(const Box& box, const View& from, const View& to) {
  Move move;
  for (size_t i = 0; i < box.size(); ++i) {
    move.from += (box[i].begin - from.box[i].begin) * from.strides[i];
    move.to += (box[i].begin - to.box[i].begin) * to.strides[i];
    if (box[i].size() > 1) move.steps.push_back({box[i].size(), from.strides[i], to.strides[i]});
  }
  std::stable_sort(move.steps.begin(), move.steps.end(),
                   [](const Step& a, const Step& b) { return std::abs(a.to) > std::abs(b.to); });
  Merge(&move.steps);
  return move;
}

}  // namespace twinkle::weights
