"""A review for a terminal."""

from collections.abc import Iterator
from typing import Final

from trueup.domain.printable import printable
from trueup.reports.reading import headline, sections
from trueup.reports.review import Review

_BARS: Final = "▁▂▃▄▅▆▇█"
_BARS_MAX: Final = 24


def text_lines(found: Review) -> Iterator[str]:
    """Line by line, without colours; a title is a line that begins without a space."""
    yield printable(headline(found), 500)
    for section in sections(found):
        yield ""
        yield section.title
        if not section.lines:
            yield f"  {section.nothing}"
        for line in section.lines:
            plot = f"  {spark(line.series)}" if line.series else ""
            yield f"  {printable(line.text, 300)}{plot}"
            if line.more:
                yield f"      {printable(line.more, 400)}"
            if line.code:
                yield f"      {printable(line.code, 400)}"


def spark(series: tuple[float, ...]) -> str:
    """The series as little bars, thinned out where it's long."""
    thin = (
        [series[place * len(series) // _BARS_MAX] for place in range(_BARS_MAX)]
        if len(series) > _BARS_MAX
        else series
    )
    top = max(thin, default=0.0)
    return "".join(
        _BARS[min(len(_BARS) - 1, int(value / top * len(_BARS)))] if top else _BARS[0] for value in thin
    )
