"""What must be true for a sentence of the page to be printed. A claim returns what speaks against it."""
from answer import DESIGNS, IRQFD, USER, V4, Answer
from launches import number

# What each translation reads of the ITS; a design with another delivery reads others.
TABLES = ["device-table-reads", "itt-reads", "vpe-table-reads", "collection-table-reads", "route-reads"]
OTHER_TRAPS = ["command-traps", "configuration-traps"]


class Claims(Answer):
    def holds_conformance(self):
        for trace, found in self.traces.items():
            for design, cell in found["modelled"].items():
                proof, ledger = cell["conformance"], cell["ledger"]
                end = ledger["delivered"] + ledger["coalesced"] + ledger["masked"] + sum(ledger["lost"].values())
                if not (proof["agreedWithReference"] and proof["agreedWithRecording"] and ledger["offered"] == end):
                    return f"{trace}, {design}: {proof}, {ledger}"
            # Where a message to nowhere is lost is a design's own matter; that it is, is not.
            sums = [
                [ledger[k] for k in ("offered", "delivered", "coalesced", "masked")]
                for ledger in (found["modelled"][d]["ledger"] for d in DESIGNS)
            ]
            if any(s != sums[0] for s in sums):
                return f"{trace}: the designs' ledgers differ: {sums}"

    def holds_wake_up(self):
        for other in ("trapped", "direct"):
            for trace, ratio in self.ratios("pathP50", base=other).items():
                if ratio.sign(1) <= 0:
                    return f"{trace}: path p50 of eventfd is {ratio} times that of {other}"

    def loses(self, trace):
        """A message that nothing is mapped for gets as far as the design lets it."""
        return bool(self.traces[trace]["modelled"]["direct"]["ledger"]["lost"])

    def holds_decides(self):
        path, work = self.ratios("pathP50"), self.ratios("corePerEvent")
        for trace in self.traces:
            if path[trace].low <= work[trace].high:
                return f"{trace}: eventfd over trapped is {path[trace]} times with the wake-up, {work[trace]} in work"

    def holds_same_delivery(self):
        for trace in self.traces:
            if self.loses(trace):
                continue
            a, b = (self.counters(trace, d, "delivery") for d in ("trapped", "direct"))
            for name in TABLES:
                if a.get(name) != b.get(name):
                    return f"{trace}: {name} is {a.get(name)} in trapped, {b.get(name)} in direct"

    def holds_no_traps(self):
        for trace in self.traces:
            trapped, eventfd, direct = (self.counters(trace, d, "setUp") for d in DESIGNS)
            if direct["msix-traps"] or not trapped["msix-traps"] or trapped["msix-traps"] != eventfd["msix-traps"]:
                return f"{trace}: MSI-X traps are {[c['msix-traps'] for c in (trapped, eventfd, direct)]}"
            for name in OTHER_TRAPS:
                if len({c[name] for c in (trapped, eventfd, direct)}) > 1:
                    return f"{trace}: {name} differ"

    def holds_recorded_order(self):
        for share in ("p50", "p90"):
            times = [self.recorded[n]["toGuest"][share] for n in (V4, IRQFD, USER)]
            if not times[0] < times[1] < times[2]:
                return f"message to the guest's acknowledge, {share}: {times}"

    def holds_recorded_where(self):
        ratio = self.recorded[IRQFD]["toHostP50"] / self.recorded[V4]["toGuest"]["p50"]
        if not 0.8 < ratio < 1.25:
            return f"irqfd to the host's acknowledge is {number(ratio)} times the vLPI to the guest's"

    def holds_recorded_load(self):
        loads = [self.recorded[n]["loadSeconds"] for n in (V4, IRQFD, USER)]
        if loads[0] < min(loads[1:]):
            return f"the load took {loads} s"

    def holds_recorded_tail(self):
        if not self.recorded_ratio(IRQFD, V4, "p99") < self.recorded_ratio(IRQFD, V4):
            return "irqfd over vLPI is not less at p99 than at p50"

    def holds_recorded_set_up(self):
        commands = [self.recorded[n]["commandsOfDevice"] for n in (V4, IRQFD, USER)]
        if not commands[0] > max(commands[1:]):
            return f"commands for the device: {commands}"

    def holds_recorded_coalesced(self):
        coalesced = [self.recorded[n]["coalesced"] for n in (V4, IRQFD, USER)]
        if not coalesced[0] < coalesced[1] < coalesced[2]:
            return f"coalesced: {coalesced}"

    def holds_recorded_upkeep(self):
        upkeep = [self.upkeep(n) for n in (V4, IRQFD, USER)]
        loads = [self.recorded[n]["vcpuLoads"] for n in (V4, IRQFD, USER)]
        if not (upkeep[0] > 0 and loads[0] > 0 and upkeep[1:] == [0, 0] and loads[1:] == [0, 0]):
            return f"commands for doorbells: {upkeep}, loads: {loads}"
