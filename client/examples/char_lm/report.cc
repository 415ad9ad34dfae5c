#include "client/examples/char_lm/report.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

namespace char_lm {
namespace {

absl::Status WriteFile(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  out.close();
  if (out) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat("cannot write '", path, "': ", std::strerror(errno)));
}

// ---- The drawing: plain SVG, in pixels ----------------------------------------------------------

constexpr double kWidth = 840, kHeight = 460;
constexpr double kLeft = 64, kRight = 24, kTop = 56, kBottom = 56;
constexpr size_t kMostPoints = 2000;  // more make the file larger and the picture no richer

// The distance of about `count` ticks in `range`: 1, 2 or 5 times a power of ten.
double TickStep(double range, int count) {
  const double rough = range / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10.0 * power;
}

// Where a step and a loss lie on the page.
struct Axes {
  double steps = 1;  // the largest shown; the first step is 1
  double low = 0;
  double high = 1;
  double loss_tick = 1;

  double X(double step) const { return kLeft + (kWidth - kLeft - kRight) * (step - 1) / std::max(1.0, steps - 1); }
  double Y(double loss) const { return kHeight - kBottom - (kHeight - kTop - kBottom) * (loss - low) / (high - low); }
};

Axes AxesFor(const Report& report) {
  const auto [least, most] = std::minmax_element(report.losses.begin(), report.losses.end());
  const double low = std::min(*least, std::log(report.perplexity));
  const double high = std::max(*most, std::log(report.bigram_perplexity));
  const double tick = TickStep(std::max(high - low, 0.01), 6);
  return {.steps = static_cast<double>(report.losses.size()),
          .low = std::floor(low / tick) * tick,
          .high = std::ceil(high / tick) * tick,
          .loss_tick = tick};
}

std::string Text(double x, double y, std::string_view style, std::string_view text) {
  return absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, style, text);
}

std::string Line(double x1, double y1, double x2, double y2, std::string_view style) {
  return absl::StrFormat("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2, y2, style);
}

std::string LossAxis(const Axes& axes) {
  std::string svg;
  const int ticks = static_cast<int>(std::lround((axes.high - axes.low) / axes.loss_tick));
  for (int i = 0; i <= ticks; ++i) {
    const double loss = axes.low + i * axes.loss_tick;
    const double y = axes.Y(loss);
    svg += Line(kLeft, y, kWidth - kRight, y, "stroke=\"#e6e9ef\"");
    svg += Text(kLeft - 8, y + 4, "text-anchor=\"end\"", absl::StrFormat("%g", loss));
  }
  const double middle = (kTop + kHeight - kBottom) / 2;
  svg += absl::StrFormat(
      "<text transform=\"translate(20 %.1f) rotate(-90)\" text-anchor=\"middle\">"
      "loss (nats per character)</text>\n",
      middle);
  return svg;
}

std::string StepAxis(const Axes& axes) {
  const double bottom = kHeight - kBottom;
  std::string svg = Line(kLeft, bottom, kWidth - kRight, bottom, "stroke=\"#9aa3b2\"");
  const double tick = std::max(1.0, TickStep(axes.steps, 8));
  for (double step = tick; step <= axes.steps; step += tick) {
    svg += Line(axes.X(step), bottom, axes.X(step), bottom + 5, "stroke=\"#9aa3b2\"");
    svg += Text(axes.X(step), bottom + 19, "text-anchor=\"middle\"", absl::StrFormat("%g", step));
  }
  svg += Text((kLeft + kWidth - kRight) / 2, kHeight - 14, "text-anchor=\"middle\"", "training step");
  return svg;
}

std::string Points(const Axes& axes, const std::vector<double>& losses) {
  std::string svg = "<g fill=\"#2f6fde\" fill-opacity=\"0.22\">\n";
  const size_t stride = (losses.size() + kMostPoints - 1) / kMostPoints;
  for (size_t i = 0; i < losses.size(); i += stride) {
    absl::StrAppendFormat(&svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"1.6\"/>\n", axes.X(static_cast<double>(i + 1)),
                          axes.Y(losses[i]));
  }
  return svg + "</g>\n";
}

std::string Curve(const Axes& axes, const std::vector<double>& losses) {
  std::string svg =
      "<polyline fill=\"none\" stroke=\"#1b4fae\" stroke-width=\"2.2\" "
      "stroke-linejoin=\"round\" points=\"";
  const size_t stride = (losses.size() + kMostPoints - 1) / kMostPoints;
  for (size_t i = 0; i < losses.size(); i += stride) {
    absl::StrAppendFormat(&svg, "%.1f,%.1f ", axes.X(static_cast<double>(i + 1)), axes.Y(losses[i]));
  }
  return svg + "\"/>\n";
}

// A level to compare the curve with. A perplexity is the exp of a loss.
std::string Level(const Axes& axes, double perplexity, const char* name, const char* colour) {
  const double y = axes.Y(std::log(perplexity));
  const std::string line = absl::StrFormat("stroke=\"%s\" stroke-dasharray=\"7 5\"", colour);
  const std::string label = absl::StrFormat("text-anchor=\"end\" fill=\"%s\" class=\"halo\"", colour);
  return Line(kLeft, y, kWidth - kRight, y, line) +
         Text(kWidth - kRight - 4, y - 6, label, absl::StrFormat("%s: perplexity %.2f", name, perplexity));
}

std::string Frame() {
  return absl::StrFormat(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" "
             "viewBox=\"0 0 %g %g\" font-family=\"system-ui, sans-serif\" font-size=\"12.5\" "
             "fill=\"#4a5262\">\n"
             "<style>.halo{paint-order:stroke;stroke:#fff;stroke-width:4px}</style>\n"
             "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
             kWidth, kHeight, kWidth, kHeight) +
         Text(kLeft, 32, "font-size=\"17\" font-weight=\"600\" fill=\"#1c2230\"",
              "Character language model: training loss");
}

}  // namespace

std::vector<double> Smoothed(const std::vector<double>& losses) {
  constexpr size_t kReach = 25;
  std::vector<double> smoothed;
  smoothed.reserve(losses.size());
  for (size_t i = 0; i < losses.size(); ++i) {
    const size_t reach = std::min(i, kReach);
    const size_t begin = i - reach, end = std::min(i + reach + 1, losses.size());
    double sum = 0;
    for (size_t j = begin; j < end; ++j) sum += losses[j];
    smoothed.push_back(sum / static_cast<double>(end - begin));
  }
  return smoothed;
}

Progress::Progress(int64_t steps) : steps_(steps), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (terminal_ && done_ > 0) std::fputc('\n', stderr);
}

void Progress::Step(double loss) {
  ++done_;
  loss_ = done_ == 1 ? loss : 0.95 * loss_ + 0.05 * loss;
  const Clock::time_point now = Clock::now();
  if (terminal_ ? !DueOnTerminal(now) : !DueInLog()) return;
  const std::string state = State(std::chrono::duration<double>(now - start_).count());
  std::fprintf(stderr, terminal_ ? "\r\x1b[K%s" : "%s\n", state.c_str());
  std::fflush(stderr);
}

// Ten times a second is as fast as anyone reads, and writing costs more than a step is worth.
bool Progress::DueOnTerminal(Clock::time_point now) {
  if (done_ > 1 && done_ < steps_ && now - drawn_ < std::chrono::milliseconds(100)) return false;
  drawn_ = now;
  return true;
}

bool Progress::DueInLog() const { return done_ == 1 || done_ * 10 / steps_ != (done_ - 1) * 10 / steps_; }

std::string Progress::State(double seconds) const {
  constexpr size_t kBar = 30;
  const double share = static_cast<double>(done_) / static_cast<double>(steps_);
  const auto filled = static_cast<size_t>(share * kBar);
  const std::string bar = std::string(filled, '#') + std::string(kBar - filled, '.');
  return absl::StrFormat("%s%3.0f %%  step %d/%d  loss %.3f  %.0f s, %.0f s left", terminal_ ? "[" + bar + "] " : "",
                         100 * share, done_, steps_, loss_, seconds, seconds / share - seconds);
}

absl::Status WriteJson(const Report& report, const std::string& path) {
  const nlohmann::json json = {
      {"losses", report.losses}, {"perplexity", report.perplexity}, {"bigram_perplexity", report.bigram_perplexity}};
  return WriteFile(path, json.dump(1) + "\n");
}

absl::Status WriteSvg(const Report& report, const std::string& path) {
  if (report.losses.empty()) return absl::InvalidArgumentError("no losses to draw");
  const Axes axes = AxesFor(report);
  std::string svg = Frame() + LossAxis(axes) + StepAxis(axes) + Points(axes, report.losses);
  svg += Level(axes, report.bigram_perplexity, "bigram on held-out text", "#b3541e");
  svg += Level(axes, report.perplexity, "this model on held-out text", "#1e7f4f");
  svg += Curve(axes, Smoothed(report.losses)) + "</svg>\n";
  return WriteFile(path, svg);
}

}  // namespace char_lm
