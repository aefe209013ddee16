#!/usr/bin/env python3
"""figures.json and page.template → the page "What the recordings say".

    page.py figures.json --output PAGE [--template FILE]

The template has all sentences and not one figure: {{name}} stands for a figure or a phrase made of figures (answer.py),
{{table name}} for a table (tables.py), and {{holds name}} in front of a sentence for what must be true for it to be
printed (claims.py). If it is not, the command names it with the figures, ends with 1, and writes nothing."""
import argparse
import json
import os
import pathlib
import re
import sys
import textwrap

from answer import IRQFD, USER, V4
from claims import Claims
from launches import number
from tables import Tables


class Page(Tables, Claims):
    def __init__(self, document):
        super().__init__(document)
        self.failures = []

    def render(self, template):
        values = self.values()

        def replace(match):
            kind, name = match.group(1), match.group(2)
            if kind == "holds":
                against = getattr(self, "holds_" + name)()
                if against:
                    self.failures.append(f"{name}: {against}")
                return ""
            if kind == "table":
                return table(*getattr(self, "table_" + name)())
            return values[name]

        text = re.sub(r"\{\{(?:(holds|table) )?(\w+)\}\}", replace, template)
        blocks = [filled(block) for block in re.sub(r"\n{3,}", "\n\n", text).split("\n\n")]
        return "\n\n".join(blocks)


def filled(block, width=118):
    """A paragraph, or a list, in lines of one width; anything else as it is."""
    if block.startswith(("#", "|", "```", "<!--")):
        return block
    items = re.split(r"\n(?=- )", block)
    return "\n".join(
        textwrap.fill(
            " ".join(item.split()), width, subsequent_indent="  " if item.startswith("- ") else "",
            break_long_words=False, break_on_hyphens=False,
        )
        for item in items
    ) + ("\n" if block.endswith("\n") else "")


def table(head, rows):
    cell = lambda value: number(value) if value is None or isinstance(value, (int, float)) else str(value)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell(c) for c in line) + " |" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("figures", type=pathlib.Path)
    parser.add_argument("--template", type=pathlib.Path, default=pathlib.Path(__file__).with_name("page.template"))
    parser.add_argument("--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    document = json.loads(options.figures.read_text())
    missing = {V4, IRQFD, USER} - set(document["traces"])
    if missing:
        missing = ", ".join(sorted(missing))
        print(f"page: {options.figures} holds nothing of {missing}; run without ANSWER_TRACES", file=sys.stderr)
        sys.exit(3)
    page = Page(document)
    text = page.render(options.template.read_text())
    if page.failures:
        print("page: these sentences are not true of the figures, so the page was not written:", file=sys.stderr)
        for failure in dict.fromkeys(page.failures):
            print(f"  {failure}", file=sys.stderr)
        sys.exit(1)
    partial = options.output.with_name(options.output.name + ".partial")
    partial.write_text(text)
    os.replace(partial, options.output)


main()
