"""How good the classifier is, as text and as one page with charts that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from classifier.evaluation import Evaluation

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "How good the classifier is",
        "figures": "Figures",
        "labels": "Labels",
        "label": "Label",
        "rows": "Letters",
        "precision": "Precision",
        "recall": "Recall",
        "coverage": "Accuracy by share answered",
        "calibration": "Confidence against truth",
        "weeks": "Accuracy by week, from corrections",
        "confusions": "Most often mistaken",
        "true": "True",
        "said": "Said",
        "count": "Times",
    },
    "ru": {
        "title": "Насколько хорош классификатор",
        "figures": "Показатели",
        "labels": "Метки",
        "label": "Метка",
        "rows": "Писем",
        "precision": "Точность",
        "recall": "Полнота",
        "coverage": "Верные ответы в зависимости от доли отвеченных",
        "calibration": "Уверенность и действительность",
        "weeks": "Верные ответы по неделям, по исправлениям",
        "confusions": "Чаще всего путает",
        "true": "На самом деле",
        "said": "Ответ",
        "count": "Раз",
    },
    "lt": {
        "title": "Kiek tikslus klasifikatorius",
        "figures": "Rodikliai",
        "labels": "Žymos",
        "label": "Žyma",
        "rows": "Laiškų",
        "precision": "Tikslumas",
        "recall": "Atkūrimas",
        "coverage": "Teisingi atsakymai pagal atsakytų dalį",
        "calibration": "Pasitikėjimas ir tikrovė",
        "weeks": "Teisingi atsakymai pagal savaites, iš pataisymų",
        "confusions": "Dažniausios klaidos",
        "true": "Iš tikrųjų",
        "said": "Atsakyta",
        "count": "Kartai",
    },
}

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .75rem;"
    "border-bottom:1px solid #e5e7eb;"
    "text-align:right}td:first-child,th:first-child{text-align:left}"
    "svg{background:#f9fafb;margin:.5rem 1rem .5rem 0}"
    "h2{margin-top:2rem}"
)

WIDTH, HEIGHT, EDGE = 360, 240, 34


def page(evaluation: Evaluation, language: str = "en", weeks: Sequence[tuple[str, float, int]] = ()) -> str:
    """The report as one HTML page; `weeks` holds (week, accuracy, messages) from real corrections."""
    words = WORDS.get(language, WORDS["en"])
    figures = "".join(
        f"<tr><td>{escape(name)}</td><td>{'–' if value is None else f'{value:.3f}'}</td></tr>"
        for name, value in evaluation.figures.items()
    )
    labels = "".join(
        f"<tr><td>{escape(one.label)}</td><td>{one.support}</td><td>{one.precision:.2f}</td>"
        f"<td>{one.recall:.2f}</td><td>{one.f1:.2f}</td></tr>"
        for one in evaluation.labels
    )
    mistaken = "".join(
        f"<tr><td>{escape(true)}</td><td>{escape(said)}</td><td>{count}</td></tr>"
        for true, said, count in evaluation.confusions
    )
    charts = chart(evaluation.coverage, words["coverage"]) + chart(
        [(sure, right) for sure, right, _ in evaluation.reliability], words["calibration"], diagonal=True
    )
    if weeks:
        steps = [(number / max(1, len(weeks) - 1), accuracy) for number, (_, accuracy, _) in enumerate(weeks)]
        charts += chart(steps, words["weeks"], ends=(weeks[0][0], weeks[-1][0]))
    head = f"<tr><th>{words['label']}</th><th>{words['rows']}</th><th>{words['precision']}</th>"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{words["title"]}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{words['title']}</h1>{charts}"
        f"<h2>{words['figures']}</h2><table>{figures}</table>"
        f"<h2>{words['labels']}</h2><table>{head}<th>{words['recall']}</th><th>F1</th></tr>{labels}</table>"
        f"<h2>{words['confusions']}</h2><table><tr><th>{words['true']}</th><th>{words['said']}</th>"
        f"<th>{words['count']}</th></tr>{mistaken}</table></body></html>"
    )


def chart(
    points: Sequence[tuple[float, float]],
    title: str,
    *,
    diagonal: bool = False,
    ends: tuple[str, str] = ("0 %", "100 %"),
) -> str:
    """One line chart as SVG; both axes run from 0 to 1, and every point is told on hovering."""
    across, down = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE

    def at(x: float, y: float) -> tuple[float, float]:
        return round(EDGE + x * across, 1), round(HEIGHT - EDGE - y * down, 1)

    places = [at(x, y) for x, y in points]
    line = " ".join(f"{x},{y}" for x, y in places)
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="3" fill="#2563eb"><title>{px:.0%}: {py:.1%}</title></circle>'
        for (x, y), (px, py) in zip(places, points, strict=True)
    )
    grid = "".join(
        f'<line x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{at(0, y)[1]}" y2="{at(0, y)[1]}" stroke="#e5e7eb"/>'
        f'<text x="{EDGE - 4}" y="{at(0, y)[1] + 4}" text-anchor="end" font-size="10">'
        f"{y:.0%}</text>"
        for y in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    straight = ""
    if diagonal:
        (x1, y1), (x2, y2) = at(0, 0), at(1, 1)
        straight = f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#9ca3af" stroke-dasharray="4"/>'
    return (
        f'<svg role="img" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<title>{escape(title)}</title>"
        f'<text x="{EDGE}" y="18" font-size="12" font-weight="600">{escape(title)}</text>{grid}{straight}'
        f'<polyline fill="none" stroke="#2563eb" stroke-width="2" points="{line}"/>{dots}'
        f'<text x="{EDGE}" y="{HEIGHT - 12}" font-size="10">{escape(ends[0])}</text>'
        f'<text x="{WIDTH - EDGE}" y="{HEIGHT - 12}" font-size="10" text-anchor="end">'
        f"{escape(ends[1])}</text>"
        "</svg>"
    )
