"""The table, for the terminal and for RESULTS.md."""

from collections.abc import Sequence

from benchmarks.table import Gain, Limit, Results, Row, Spread, Verdict, judge

NOTES = """\
- Each figure is the median of its rounds, with the least and the greatest in brackets. Absolute
  figures depend on the machine; the ratios, taken in one run, are the claim.
- A ratio compares with the better of the peer's two channel layers, among those that lost nothing.
- A burst is shown as its end: a frame brings the last 200 lines and says how many came before, with
  a link to them. Every line is read back from the record and compared; lines that are missing in
  the record, or on the page without being counted there, are lost.
- The site's limits on sockets and starts of one user are raised, because one user stands for all.
- In the peers' favour: django-liveops keeps its database connection and runs with redis-py 7 (with
  8, its core layer drops idle sockets); celery-progress has neither sessions nor a database. The
  peers' runs in a crowd are shorter than ours, which spares them longer queues.
- CPU of the server is the web server's process alone, unless a row says otherwise.
"""


def figure(spread: Spread | None) -> str:
    if spread is None:
        return "–"
    text = number(spread.median)
    if spread.least != spread.most:
        text += f" [{number(spread.least)} … {number(spread.most)}]"
    return text + (f" (lost {spread.lost:.1%})" if spread.lost else "")


def number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio_of(row: Row, verdict: Verdict) -> str:
    if verdict.ratio is None:
        return ""
    return f"{number(verdict.ratio)} ×" + (" better" if isinstance(row.target, Gain) else "")


def mark(verdict: Verdict) -> str:
    return {True: "met", False: "MISSED", None: ""}[verdict.met]


HEADER = ("What", "Unit", "This template", "Peers", "Ratio", "Target", "")


def lines_of(
    rows: Sequence[Row], results: Results, titles: dict[str, str]
) -> list[tuple[str, ...]]:
    table: list[tuple[str, ...]] = []
    for row in rows:
        verdict = judge(row, results)
        peers = "; ".join(
            f"{titles.get(peer, 'base')}: {figure(spread)}"
            for peer, spread in verdict.theirs.items()
        )
        last = " ".join(part for part in (mark(verdict), verdict.remark) if part)
        table.append(
            (
                row.name,
                row.unit,
                figure(verdict.ours),
                peers,
                ratio_of(row, verdict),
                str(row.target),
                last,
            )
        )
    return table


def as_text(rows: Sequence[Row], results: Results, titles: dict[str, str]) -> str:
    """Three lines a row, because the peers' figures need room."""
    text = []
    for name, unit, ours, peers, ratio, target, last in lines_of(rows, results, titles):
        text.append(f"{name} [{unit}]" if unit else name)
        text.append(f"    {ours}   against {peers}" if peers else f"    {ours}")
        text.append("    " + "   ".join(part for part in (ratio, f"({target})", last) if part))
    return "\n".join(text)


def as_markdown(
    rows: Sequence[Row],
    results: Results,
    titles: dict[str, str],
    facts: Sequence[str],
    notes: Sequence[str],
) -> str:
    def cells(parts: Sequence[str]) -> str:
        return "| " + " | ".join(part.replace("|", "\\|") for part in parts) + " |"

    table = [cells(HEADER), cells(["---"] * len(HEADER))]
    table += [cells(line) for line in lines_of(rows, results, titles)]
    failed = [
        f"- {scenario}, {titles[who]}: {why.splitlines()[0]}"
        for (scenario, who), why in results.failures.items()
    ]
    parts = [
        "# Results\n\nWritten by `make bench`; see [README.md](README.md) for how to read it.\n",
        "\n".join(f"- {fact}" for fact in facts) + "\n",
        "\n".join(table) + "\n",
        *(["## Could not be measured\n\n" + "\n".join(failed) + "\n"] if failed else []),
        *(["## Noted\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"] if notes else []),
        "## How it was measured\n\n" + NOTES,
        f"`{summary(rows, results)[-1]}`\n",
    ]
    return "\n".join(parts)


def _found(row: Row, verdict: Verdict) -> str:
    own = f"{figure(verdict.ours)} {row.unit}".rstrip()
    return own if isinstance(row.target, Limit) else ratio_of(row, verdict) or own


def summary(rows: Sequence[Row], results: Results) -> list[str]:
    """Each missed target, and at the end how many were met."""
    verdicts = [(row, judge(row, results)) for row in rows]
    promised = [(row, verdict) for row, verdict in verdicts if verdict.met is not None]
    text = [
        f"missed: {row.name}: {_found(row, verdict)}, wanted {row.target} {verdict.remark}".rstrip()
        for row, verdict in promised
        if not verdict.met
    ]
    met = sum(verdict.met is True for _, verdict in promised)
    return [*text, f"targets {met} / {len(promised)} met"]
