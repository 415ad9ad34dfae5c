// The world of a job on a cluster, in one thread: what the test says happens, and time passes only while the job waits.
#pragma once

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "client/src/job_world.h"
#include "runtime/actor/in_process_job.h"
#include "runtime/base/status.h"
#include "runtime/base/stepped_executor.h"

namespace twinkle::internal {

// Outlives the jobs that are in it; one at a time.
class FakeWorld {
 public:
  FakeWorld() : executor_(std::make_shared<base::SteppedExecutor>()), driver_(executor_->NewQueue("driver")) {}

  // For ClusterJob::Start.
  std::unique_ptr<JobWorld> World() { return std::make_unique<Here>(*this); }

  // ---- what the test decides
  // What the driver does about what the program says.
  std::function<void(const v1::ProgramToDriver&)> script = [](const auto&) {};
  absl::Status no_driver, no_answer, no_listening, no_part;
  absl::Status services;  // of this session
  // What a rank answers when it is asked.
  std::function<actor::Account(rpc::ProcessId, bool close)> account = [](rpc::ProcessId, bool) {
    return actor::Account{.from = actor::Account::From::kProcess};
  };

  // Something happens after that time: it is done between two looks of the job.
  void After(absl::Duration delay, std::function<void()> happens) {
    planned_.insert(executor_->Now() + delay);
    driver_->PostAfter(delay, [happens = std::move(happens)] { happens(); });
  }
  // The driver says it; the program hears it when it looks.
  void Say(const v1::DriverToProgram& message) {
    driver_->Post([this, message] { events_.on_message(message); });
  }
  // The connection to the driver ends so.
  void Break(const absl::Status& why) {
    driver_->Post([this, why] { events_.on_end(why); });
  }

  // ---- what has come of it
  base::Instant Now() const { return executor_->Now(); }
  std::vector<v1::ProgramToDriver> said;  // to the driver
  std::vector<std::string> done;          // "starts", "connects", "listens", "joins", "cancels", "ends"
  std::vector<rpc::ProcessId> asked;      // ranks
  std::vector<std::pair<rpc::ProcessId, absl::Status>> lost;
  EndGroup end_group;

 private:
  class Link final : public JobLink {
   public:
    explicit Link(FakeWorld& world) : world_(world) {}
    void Write(v1::ProgramToDriver message) override {
      world_.said.push_back(message);
      world_.driver_->Post([&world = world_, message = std::move(message)] { world.script(message); });
    }
    void Cancel() override { world_.done.push_back("cancels"); }

   private:
    FakeWorld& world_;
  };

  class Here final : public JobWorld {
   public:
    explicit Here(FakeWorld& world) : world_(world) {}

    absl::StatusOr<std::string> FindDriver() override {
      TWINKLE_RETURN_IF_ERROR(world_.Do("starts", world_.no_driver));
      return "at gpu-1:7077";
    }
    absl::StatusOr<std::shared_ptr<JobLink>> Connect(JobLink::Events events) override {
      TWINKLE_RETURN_IF_ERROR(world_.Do("connects", world_.no_answer));
      world_.events_ = std::move(events);
      return std::make_shared<Link>(world_);
    }
    absl::StatusOr<v1::ProgramListens> Listen(const v1::JobPlaced&) override {
      TWINKLE_RETURN_IF_ERROR(world_.Do("listens", world_.no_listening));
      v1::ProgramListens listens;
      listens.mutable_endpoint()->set_socket("unix-abstract:program");
      return listens;
    }
    absl::StatusOr<ProgramPart> Join(const v1::JobPlaced&, const v1::JobPeers&, const std::vector<actor::GroupInfo>&,
                                     EndGroup end_group) override {
      TWINKLE_RETURN_IF_ERROR(world_.Do("joins", world_.no_part));
      world_.end_group = std::move(end_group);
      return world_.Part();
    }
    void AwaitOutput(base::Instant) override {}
    void End() override { world_.done.push_back("ends"); }
    absl::Status CheckServices() override { return world_.services; }
    base::Instant Now() const override { return world_.Now(); }
    void AwaitNews(base::Instant deadline) override { world_.Pass(deadline); }

   private:
    FakeWorld& world_;
  };

  absl::Status Do(const char* what, const absl::Status& refusal) {
    done.emplace_back(what);
    return refusal;
  }
  ProgramPart Part() {
    program_ = actor::InProcessJob::Start({}).value();
    ProgramPart part;
    part.process = program_->program();
    part.ask = [this](const std::vector<rpc::ProcessId>& ranks, bool close) {
      asked.insert(asked.end(), ranks.begin(), ranks.end());
      std::vector<actor::Account> accounts;
      for (const rpc::ProcessId rank : ranks) accounts.push_back(account(rank, close));
      return accounts;
    };
    part.lose = [this](rpc::ProcessId process, const absl::Status& why) { lost.emplace_back(process, why); };
    return part;
  }
  // One thing happens; when there is none, it is the deadline, or the time of the next.
  void Pass(base::Instant deadline) {
    if (executor_->Step("driver")) return;
    const auto next = planned_.upper_bound(Now());
    const base::Instant until = next == planned_.end() ? deadline : std::min(deadline, *next);
    if (until == base::kForever) throw std::runtime_error("the job waits for ever");
    executor_->Advance(until - Now());
  }

  const std::shared_ptr<base::SteppedExecutor> executor_;
  const std::unique_ptr<base::TaskQueue> driver_;
  std::set<base::Instant> planned_;
  JobLink::Events events_;
  std::unique_ptr<actor::InProcessJob> program_;  // with threads of its own, which end at once: it makes no calls
};

}  // namespace twinkle::internal
