"""A figure of several launches, and how figures are printed."""
import statistics


def number(value):
    """Three digits that count, and thousands apart, as Doorbell prints them."""
    if value is None:
        return "–"
    if isinstance(value, int) or abs(value) >= 100:
        return f"{round(value):,}"
    return "0" if value == 0 else f"{value:.{1 if abs(value) >= 10 else 2}f}"


class Launches:
    """A figure of each launch; what is said of them is their median, and the least and the greatest."""

    def __init__(self, values, scale=1):
        self.values = [value * scale for value in values]
        self.median = statistics.median(self.values)
        self.low, self.high = min(self.values), max(self.values)

    def __str__(self):
        if len(self.values) == 1 or number(self.low) == number(self.high):
            return number(self.median)
        return f"{number(self.median)} ({number(self.low)}…{number(self.high)})"

    def of(self, other, operation):
        """Launch by launch: both figures are of one process, or of processes that ran side by side."""
        return Launches([operation(a, b) for a, b in zip(self.values, other.values)])

    def over(self, other):
        return self.of(other, lambda a, b: a / b)

    def minus(self, other):
        return self.of(other, lambda a, b: a - b)

    def sign(self, neutral=0):
        """1 above, −1 below in every launch; else 0."""
        return (self.low > neutral) - (self.high < neutral)
