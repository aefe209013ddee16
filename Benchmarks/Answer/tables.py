"""The tables of the page: a head and rows of figures."""
from answer import DESIGNS, IRQFD, USER, V4, Answer
from launches import Launches, number


class Tables(Answer):
    def table_delivery(self):
        head = ["recording", "work, ns: trapped", "eventfd", "direct", "eventfd/trapped"]
        head += ["path, ns: trapped", "eventfd", "direct", "eventfd/trapped"]
        rows = []
        for trace in self.traces:
            row = [f"`{trace}`"]
            for figure in ("corePerEvent", "pathP50"):
                row += [self.launches(trace, design, figure) for design in DESIGNS]
                row.append(self.ratios(figure)[trace])
            rows.append(row)
        return head, rows

    def table_set_up(self):
        head = ["recording", "vectors", "MSI-X traps per vector: trapped, eventfd", "direct"]
        head += ["work, ns per vector: trapped", "eventfd", "direct"]
        head += ["with traps, µs per vector: trapped", "eventfd", "direct"]
        rows = []
        for trace in self.traces:
            row = [f"`{trace}`", self.traces[trace]["modelled"]["direct"]["vectors"]]
            row += [self.table_traps(trace, "trapped"), self.table_traps(trace, "direct")]
            row += [self.launches(trace, design, "setUpPerVector") for design in DESIGNS]
            row += [self.priced(trace, design) if self.trap_price() else None for design in DESIGNS]
            rows.append(row)
        return head, rows

    def table_break_even(self):
        head = ["recording", "direct against eventfd: work", "path", "trapped against eventfd: work", "path"]
        rows = []
        for trace in self.traces:
            row = [f"`{trace}`"]
            for dearer in ("direct", "trapped"):
                row += [self.pays(trace, "eventfd", dearer, f) for f in ("deliveryPerInterrupt", "pathP50")]
            rows.append(row)
        return head, rows

    def table_live_delivery(self):
        head = ["design", "vCPU", "signal p50, µs", "handler p50, µs", "handler p99, µs"]
        head.append("seen by the host p50, µs")
        rows = []
        for name, cell in self.live.items():
            design, experiment = name.split(" ")
            if "vcpu" in cell["parameters"]:
                figures = ("signalP50", "guest-entryP50", "guest-entryP99", "seen-by-hostP50")
                row = [f"`{design}`", cell["parameters"]["vcpu"]]
                rows.append(row + [self.live_launches(name, f) for f in figures])
        return head, rows

    def table_live_set_up(self):
        head = ["trapped: vectors of the table", "MSI-X traps", "µs per vector", "of it routing"]
        head += ["irqfd", "the rest, µs per trap"]
        rows = []
        for vectors, name in self.live_tables().items():
            whole = self.live_launches(name, "set-up-ns-per-vector")
            traps = self.live[name]["traps"]
            row = [vectors, traps, whole]
            row += [self.live_launches(name, f) for f in ("routing-ns-per-vector", "irqfd-ns-per-vector")]
            rows.append(row + [self.bare_trap(name)])
        return head, rows

    def table_recorded(self):
        r = self.recorded
        names = (V4, IRQFD, USER)
        rows = [
            ("messages", *(r[n]["messages"] for n in names)),
            ("acknowledged by the guest", *(r[n]["guestAcknowledges"] for n in names)),
            ("coalesced with one before", *(r[n]["coalesced"] for n in names)),
            ("acknowledges that came after the next message", *(r[n]["lateAcknowledges"] for n in names)),
            *(
                (f"message to the guest's acknowledge, {share}, µs", *(r[n]["toGuest"][share] for n in names))
                for share in ("p50", "p90", "p99")
            ),
            ("message to the host's acknowledge, p50, µs", *(r[n]["toHostP50"] for n in names)),
            ("from there to the guest's, p50, µs", *(r[n]["hostToGuestP50"] for n in names)),
            ("interrupts that the host took", *(r[n]["hostAcknowledges"] for n in names)),
            ("first message to last acknowledge, s", *(r[n]["loadSeconds"] for n in names)),
            ("stores to the device's MSI-X table", *(r[n]["tableStores"] for n in names)),
            ("ITS commands", *(sum(r[n]["commands"].values()) for n in names)),
            ("… for the device", *(r[n]["commandsOfDevice"] for n in names)),
            ("… for doorbells", *(self.upkeep(n) for n in names)),
            ("loads of a vPE", *(r[n]["vcpuLoads"] or None for n in names)),
        ]
        return ["", *(f"`{n}`" for n in names)], rows

    def table_agreement(self):
        r = self.recorded
        path = {n: self.ratios("pathP50")[n] for n in (V4, IRQFD, USER)}
        recorded = self.recorded_ratio(IRQFD, V4)
        work = self.ratios("corePerEvent")[IRQFD]
        commands = [self.counters(IRQFD, d, "setUp")["its-commands"] for d in ("trapped", "eventfd")]
        posted = {
            d: sum(self.counters(V4, d, part)["its-commands"] for part in ("setUp", "delivery"))
            for d in ("trapped", "eventfd")
        }
        coalesced = {n: self.traces[n]["modelled"]["direct"]["ledger"]["coalesced"] for n in (V4, IRQFD, USER)}
        agree = lambda truth, otherwise="**no**": "yes" if truth else otherwise
        between = work.high < recorded < path[IRQFD].low
        rows = [
            (
                "which delivery is sooner?", f"the vLPI: {number(recorded)} times before the irqfd",
                f"the vLPI: {path[IRQFD]} times (path), {work} (work)",
                agree(recorded > 1 and path[IRQFD].low > 1 and work.low > 1),
            ),
            (
                "by how much?", f"{number(recorded)} times", f"{path[IRQFD]} times (path), {work} (work)",
                "**no**: it lies between work and path" if between
                else agree(path[IRQFD].low <= recorded <= path[IRQFD].high or work.low <= recorded <= work.high),
            ),
            (
                "whose set-up needs more commands?",
                f"the vLPI's: {number(r[V4]['commandsOfDevice'])}, irqfd {number(r[IRQFD]['commandsOfDevice'])}",
                f"`trapped`'s: {number(commands[0])}, `eventfd` {number(commands[1])} (`{IRQFD}` replayed)",
                agree((r[V4]["commandsOfDevice"] > r[IRQFD]["commandsOfDevice"]) == (commands[0] > commands[1])),
            ),
            (
                "does delivery by vLPI post commands?", f"{number(self.upkeep(V4))} for doorbells",
                f"`trapped` {number(posted['trapped'])} in all (`{V4}` replayed)",
                agree(
                    posted["trapped"] >= self.upkeep(V4),
                    "**no**: the model's hardware clears a doorbell without a command",
                ),
            ),
            (
                "messages coalesced", ", ".join(number(r[n]["coalesced"]) for n in (V4, IRQFD, USER)),
                ", ".join(number(coalesced[n]) for n in (V4, IRQFD, USER)) + " in each design",
                ", ".join(agree(r[n]["coalesced"] == coalesced[n]) for n in (V4, IRQFD, USER)),
            ),
        ]
        return ["question", "recordings", "model", "agree?"], rows

    def table_made(self):
        d = self.document
        facts = ", ".join(f"{name} {value}" for name, value in d["host"].items())
        rows = [
            ("command", "`Benchmarks/Answer/run` (`make answer`)"),
            ("when", f"{d['started']} to {d['ended']}"),
            ("what", f"{d['tool']['name']} {d['tool']['version']}, commit {d['commit']}"),
            ("host", facts),
            ("launches", f"{d['launches']} of each command, recordings by turns"),
            ("warnings", "; ".join(d["warnings"]) or "none"),
        ]
        return ["", ""], rows
