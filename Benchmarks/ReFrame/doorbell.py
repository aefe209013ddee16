"""Doorbell's shards as a ReFrame check: every design on a trace, counters and times as figures.

    DOORBELL=.build/release/doorbell DOORBELL_TRACE=Traces/nvme.dbtrace \\
      reframe -c Benchmarks/ReFrame/doorbell.py --run

A thin wrapper: 'doorbell shard' plans, runs and merges; what it refuses is a failed check.
"""

import json
import os

import reframe as rfm
import reframe.utility.sanity as sn
from reframe.core.builtins import performance_function, run_after, sanity_function, variable, parameter

MERGED = "merged/1-{}.json"


@rfm.simple_test
class DoorbellCheck(rfm.RunOnlyRegressionTest):
    design = parameter(["trapped", "eventfd", "direct"])
    tool = variable(str, value=os.path.abspath(os.environ.get("DOORBELL", ".build/release/doorbell")))
    trace = variable(str, value=os.path.abspath(os.environ.get("DOORBELL_TRACE", "Traces/nvme.dbtrace")))
    replay_options = variable(str, value=os.environ.get("DOORBELL_REPLAY_OPTIONS", ""))
    valid_systems = ["*"]
    valid_prog_environs = ["*"]

    @run_after("init")
    def shards(self):
        self.executable = self.tool
        self.executable_opts = ["shard", "run", "plan.json", "1", "--results", "results"]
        options = f'--replay-options "{self.replay_options}"' if self.replay_options else ""
        self.prerun_cmds = [
            f'"{self.tool}" shard plan "{self.trace}" --design {self.design} --experiment core '
            f"--part-events 1G --output plan.json {options}"
        ]
        self.postrun_cmds = [f'"{self.tool}" shard merge plan.json results --output merged']

    def cell(self, experiment):
        path = os.path.join(self.stagedir, MERGED.format(os.path.basename(self.trace)))
        with open(path) as file:
            cells = json.load(file)["cells"]
        return next(cell for cell in cells if cell["experiment"] == experiment)

    @sanity_function
    def conforms(self):
        merged = os.path.join(self.stagedir, MERGED.format(os.path.basename(self.trace)))
        if not os.path.exists(merged):
            return sn.assert_true(False, msg=f"no merged record: see {self.stderr}")
        proof = self.cell("equality")["conformance"]
        return sn.assert_true(proof["agreedWithReference"] and proof["agreedWithRecording"])

    @performance_function("ns")
    def delivery_per_event(self):
        metrics = self.cell("core")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "delivery-ns-per-event")

    @performance_function("interrupts")
    def delivered(self):
        return self.cell("equality")["ledger"]["delivered"]
