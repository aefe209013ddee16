"""What figures.json says: the figures and phrases that stand for the names in page.template."""
from launches import Launches, number

DESIGNS = ["trapped", "eventfd", "direct"]
# One load, delivered in three ways.
V4, IRQFD, USER = "nested-v4", "nested-irqfd", "nested-userspace"


class Answer:
    def __init__(self, document):
        self.document = document
        self.traces = document["traces"]
        self.live = document["live"]["cells"]
        self.recorded = {name: self.traces[name]["recorded"] for name in (V4, IRQFD, USER)}

    # Figures

    def launches(self, trace, design, figure):
        return Launches(self.traces[trace]["modelled"][design]["launches"][figure])

    def counters(self, trace, design, part):
        return self.traces[trace]["modelled"][design][part + "Counters"]

    def ratios(self, figure, design="eventfd", base="trapped"):
        """By default what delivery alone makes: both are set up alike."""
        return {t: self.launches(t, design, figure).over(self.launches(t, base, figure)) for t in self.traces}

    def table_traps(self, trace, design):
        """Per vector."""
        return self.counters(trace, design, "setUp")["msix-traps"] / self.traces[trace]["modelled"][design]["vectors"]

    def live_launches(self, cell, figure, scale=1e-3):
        """In microseconds; nil where the cell is absent."""
        found = self.live.get(cell)
        return Launches(found["launches"][figure], scale) if found else None

    def live_tables(self):
        """The cells of live set-up by the size of their table."""
        cells = {int(c["parameters"]["vectors"]): name for name, c in self.live.items() if "live-set-up" in name}
        return dict(sorted(cells.items()))

    def bare_trap(self, name):
        """One MSI-X trap of a live table in microseconds, without the changes of routes and eventfds."""
        vectors = int(self.live[name]["parameters"]["vectors"])
        whole, routing, irqfd = (
            self.live_launches(name, figure)
            for figure in ("set-up-ns-per-vector", "routing-ns-per-vector", "irqfd-ns-per-vector")
        )
        traps = self.live[name]["traps"] / vectors
        return Launches([value / traps for value in whole.minus(routing).minus(irqfd).values])

    def trap_price(self):
        """Of the largest table; nil where nothing was measured live."""
        tables = self.live_tables()
        return self.bare_trap(tables[max(tables)]) if tables else None

    def priced(self, trace, design):
        """Set-up per vector in microseconds with each MSI-X trap at its live price."""
        price = self.trap_price()
        work = self.launches(trace, design, "setUpPerVector")
        traps = self.table_traps(trace, design)
        return Launches([w / 1000 + traps * p for w, p in zip(work.values, price.values)])

    # Words

    def span(self, values):
        """The least and the greatest of several medians or exact figures."""
        values = [v.median if isinstance(v, Launches) else v for v in values]
        low, high = number(min(values)), number(max(values))
        return low if low == high else f"{low} to {high}"

    def count(self, differences, sign):
        """In how many recordings, of all."""
        found = sum(1 for d in differences.values() if d.sign() == sign)
        total = len(differences)
        return "all" if found == total else "none" if found == 0 else f"{found} of {total}"

    def differences(self, figure, a, b):
        return {t: self.launches(t, a, figure).minus(self.launches(t, b, figure)) for t in self.traces}

    def told_apart(self, ratio, one, other):
        if ratio.sign(1) > 0:
            return f"{one} takes {ratio} times as long as {other}"
        if ratio.sign(1) < 0:
            return f"{one} takes {ratio} times the time of {other}, less"
        return f"{one} and {other} are not told apart ({ratio} times)"

    def pays(self, trace, cheaper, dearer, figure):
        """After how many interrupts per vector `dearer`, the one with the quicker delivery, has paid."""
        cost = self.launches(trace, dearer, "setUpPerVector").minus(self.launches(trace, cheaper, "setUpPerVector"))
        saving = self.launches(trace, cheaper, figure).minus(self.launches(trace, dearer, figure))
        if saving.sign() < 0:
            return "never"
        if saving.sign() == 0:
            return "not told"
        after = cost.of(saving, lambda c, s: max(c, 0) / s)
        if after.high == 0:
            return "at once"
        return f"at most {number(after.high)}" if after.low == 0 else str(after)

    def values(self):
        document, traces = self.document, self.traces
        core, path = self.ratios("corePerEvent"), self.ratios("pathP50")
        work = self.differences("corePerEvent", "eventfd", "trapped")
        against_trapped = self.differences("setUpPerVector", "direct", "trapped")
        against_eventfd = self.differences("setUpPerVector", "direct", "eventfd")
        dearer = [t for t, d in against_eventfd.items() if d.sign() > 0]
        every = [d for t in traces.values() for d in t["modelled"].values()]
        price = self.trap_price()
        names = {"v4": V4, "irqfd": IRQFD, "user": USER}
        values = {
            "where_same": "in every recording" + self.except_lossy(),
            "recordings": {7: "Seven"}.get(len(traces), str(len(traces))),
            "accesses": number(
                sum(t["modelled"]["direct"]["conformance"]["accessesCompared"] for t in traces.values())
            ),
            "interrupts": number(sum(t["modelled"]["direct"]["ledger"]["offered"] for t in traces.values())),
            "launches": f"{document['launches']} launches" if document["launches"] > 1 else "one launch",
            "path_interrupts": self.span([n for d in every for n in d["pathInterrupts"]]) + " interrupts",
            "core_ratio": self.span(core.values()),
            "core_dearer": self.count(work, 1),
            "core_cheaper": self.count(work, -1),
            "core_open": self.count(work, 0),
            "path_ratio": self.span(path.values()),
            "traps_per_vector": self.span([self.table_traps(t, "trapped") for t in traces]),
            "where_dearer_eventfd": f" (dearer: {', '.join(f'`{t}`' for t in dearer)})" if dearer else "",
            "trap_price": str(price) if price else "–",
            "confidence": number(100 * (1 - 2 * 0.5 ** document["launches"])),
            "v4_configuration": number(traces[V4]["modelled"]["direct"]["setUpEvents"]),
            "v4_vectors": number(traces[V4]["modelled"]["direct"]["vectors"]),
            "v4_upkeep": number(self.upkeep(V4)),
            "v4_upkeep_per_message": number(self.upkeep(V4) / self.recorded[V4]["messages"]),
            "v4_loads": number(self.recorded[V4]["vcpuLoads"]),
            "irqfd_over_v4": number(self.recorded_ratio(IRQFD, V4)),
            "user_over_v4": number(self.recorded_ratio(USER, V4)),
            "irqfd_over_v4_p99": number(self.recorded_ratio(IRQFD, V4, "p99")),
            "replays": "\n".join(f"$ {c}" for c in document["commands"] if " live" not in c),
            "lives": "\n".join(f"$ {c}" for c in document["commands"] if " live" in c),
            "host_state": self.host_state(),
            "sentence": self.sentence(),
            "break_even_sentence": self.break_even_sentence(),
            "live_sentence": self.live_sentence(),
            "live_bounce_sentence": self.live_bounce_sentence(),
            "live_model_sentence": self.live_model_sentence(),
            "priced_sentence": self.priced_sentence(),
            "absent_sentence": self.absent_sentence(),
            "vlpi_live_limit": self.vlpi_live_limit(),
            "live_warning": self.live_warning(),
        }
        for word, sign in (("cheaper", -1), ("dearer", 1), ("open", 0)):
            values[f"direct_{word}_trapped"] = self.count(against_trapped, sign)
            values[f"direct_{word}_eventfd"] = self.count(against_eventfd, sign)
        for short, name in names.items():
            recording = self.recorded[name]
            values[short + "_p50"] = number(recording["toGuest"]["p50"])
            values[short + "_load"] = number(recording["loadSeconds"])
            values[short + "_device_commands"] = number(recording["commandsOfDevice"])
            values[short + "_coalesced"] = number(recording["coalesced"])
            values[short + "_to_host"] = number(recording["toHostP50"])
            values[short + "_to_guest"] = number(recording["hostToGuestP50"])
        return values

    def recorded_ratio(self, name, base, share="p50"):
        return self.recorded[name]["toGuest"][share] / self.recorded[base]["toGuest"][share]

    def upkeep(self, name):
        """Commands for doorbells: of devices that raised no message, and none that configures the machine."""
        commands = self.recorded[name]["commands"]
        of_devices = sum(commands.get(c, 0) for c in ("CLEAR", "INV", "DISCARD", "MAPTI", "VMAPTI", "VMOVI", "MAPD"))
        # Each recording's host maps one device of its own when it starts, whatever the delivery.
        return of_devices - self.recorded[name]["commandsOfDevice"] - 1

    def except_lossy(self):
        lossy = [f"`{t}`" for t in self.traces if self.loses(t)]
        return f" (but for {', '.join(lossy)}, whose messages to nowhere end at different places)" if lossy else ""

    # Sentences made of figures

    def sentence(self):
        path, work = (self.span(self.ratios(figure).values()) for figure in ("pathP50", "corePerEvent"))
        recorded = number(self.recorded_ratio(IRQFD, V4))
        traps = self.span([self.table_traps(t, "trapped") for t in self.traces])
        return (
            f"In all {len(self.traces)} recordings an interrupt through an eventfd that wakes a thread takes {path} "
            f"times as long to its vCPU as a vLPI (modelled work alone: {work} times; by the recordings' own clock: "
            f"{recorded} times); `direct` delivers as `trapped` does, and what it adds is set-up without the {traps} "
            f"MSI-X traps per vector that the trapped designs take."
        )

    def host_state(self):
        load, cpus = self.document["load"], int(self.document["host"]["cpus"])
        if not load:
            return "The host does not tell how loaded it was."
        busy = sum(1 for value in load if value > cpus / 2)
        spread = f"{number(min(load))} to {number(max(load))} on {cpus} CPUs"
        if busy == 0:
            return f"The host was otherwise idle: its load was {spread} when a launch began."
        return (
            f"**The host was loaded**: its load was {spread}, above {number(cpus / 2)} when {busy} of {len(load)} "
            f"launches began (they themselves count in it). Ratios of one launch stand this better than times do; "
            f"tails do not."
        )

    def break_even_sentence(self):
        cells = {t: self.pays(t, "eventfd", "direct", "pathP50") for t in self.traces}
        at_once = [t for t, after in cells.items() if after == "at once"]
        later = [f"after {after} interrupts per vector in `{t}`" for t, after in cells.items() if after[0].isdigit()]
        others = [f"`{t}`: {after}" for t, after in cells.items() if t not in at_once and not after[0].isdigit()]
        found = []
        if at_once:
            found.append(f"at once in {len(at_once)} of {len(cells)} recordings")
        found += later
        text = f"Against `eventfd` with its wake-up, `direct` has paid for its set-up {' and '.join(found)}"
        return (text if found else "Against `eventfd` `direct` has not paid for its set-up anywhere") + (
            f" ({'; '.join(others)})." if others else "."
        )

    def live_sentence(self):
        cell = self.live_launches("eventfd live-blocked", "guest-entryP50")
        price = self.trap_price()
        if not cell or not price:
            return "This host has no usable /dev/kvm: nothing was measured live."
        tables = self.live_tables()
        largest = tables[max(tables)]
        whole = self.live_launches(largest, "set-up-ns-per-vector")
        routing = self.live_launches(largest, "routing-ns-per-vector")
        absent = [f"`{a['part']}`" for a in self.document["live"]["absences"]]
        return (
            f"On this host's KVM an eventfd takes {cell} µs to the handler of a vCPU that sleeps, and trapped set-up "
            f"{whole} µs per vector of a table of {max(tables)}, of which {routing} go into changes of routes; an "
            f"MSI-X trap without them takes {price} µs."
            + (f" Not available live here: {', '.join(absent)}, so live tells nothing of a vLPI." if absent else "")
        )

    def live_bounce_sentence(self):
        found = []
        for state in ("halted", "running", "blocked"):
            irqfd = self.live_launches(f"eventfd live-{state}", "guest-entryP50")
            bounce = self.live_launches(f"trapped+bounce live-{state}", "guest-entryP50")
            if irqfd and bounce:
                found.append(f"{state}, " + self.told_apart(bounce.over(irqfd), "`bounce`", "`eventfd`"))
        return f"User space against the kernel's irqfd, by the vCPU's state: {'; '.join(found)}." if found else ""

    def live_model_sentence(self):
        live = self.live_launches("eventfd live-blocked", "guest-entryP50")
        if not live:
            return ""
        model = Launches([v / 1000 for v in self.launches("nvme", "eventfd", "pathP50").values])
        return (
            f"The model's *path* of `eventfd` took {model} µs with the recording `nvme`; live, with the kernel's "
            f"injection and the entry into a guest, an eventfd takes {live.over(model)} times that. The model does not "
            f"imitate those; it says what differs between designs."
        )

    def priced_sentence(self):
        if not self.trap_price():
            return "Nothing was measured live here, so the traps have no price."
        first = {
            t: min(DESIGNS, key=lambda design: self.priced(t, design).median) for t in self.traces
        }
        sure = {
            t: all(self.priced(t, d).minus(self.priced(t, first[t])).sign() > 0 for d in DESIGNS if d != first[t])
            for t in self.traces
        }
        wins = [t for t in self.traces if first[t] == "direct" and sure[t]]
        text = "With its traps at their price `direct` is the cheapest to set up in "
        text += f"{len(wins)} of {len(self.traces)} recordings"
        others = [f"`{t}`: {first[t] if sure[t] else 'not told apart'}" for t in self.traces if t not in wins]
        return text + (f" ({'; '.join(others)})." if others else ".")

    def absent_sentence(self):
        absences = self.document["live"]["absences"]
        return "\n".join(f"`{a['part']}`: not available: {a['reason']}." for a in absences)

    def live_warning(self):
        """What `doorbell live` found of this host's KVM."""
        found = [warning for warning in self.document["warnings"] if "KVM" in warning]
        return " ".join(warning[:1].upper() + warning[1:] + "." for warning in found)

    def vlpi_live_limit(self):
        absent = {a["part"] for a in self.document["live"]["absences"]}
        if "direct" in absent or not self.live:
            return "Live, this host has no vLPI and nothing like it: what a vLPI saves was not measured live."
        return "Live figures are x86's: posted interrupts stand for the vLPI."
