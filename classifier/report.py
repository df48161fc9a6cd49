"""How good the classifier is, as text and as one page with charts that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from classifier.confusion import as_table
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
        "matrix": "What is taken for what",
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
        "coverage": "Верные ответы по доле отвеченных",
        "calibration": "Уверенность и действительность",
        "weeks": "Верные ответы по неделям, по исправлениям",
        "confusions": "Чаще всего путает",
        "matrix": "Что с чем путается",
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
        "matrix": "Kas su kuo painiojama",
        "true": "Iš tikrųjų",
        "said": "Atsakyta",
        "count": "Kartai",
    },
}

FIGURES: dict[str, dict[str, str]] = {
    "en": {
        "accuracy": "Right",
        "macro_f1": "F1, mean of the labels",
        "micro_f1": "F1, all labels counted together",
        "ece": "Calibration error",
        "ece_by_chance": "Calibration error by chance alone",
        "accuracy_at_80": "Right among the surest 80 of 100",
        "accuracy_at_90": "Right among the surest 90 of 100",
        "coverage_at_95": "Can be answered with 5 errors in 100",
        "oos_recall_keep_95": "Strangers told apart while 95 of 100 of ours are kept",
        "accuracy_keep_95": "Right of ours then",
        "auroc": "Strangers told apart (area under the curve)",
        "train_seconds": "Training, seconds",
        "ms_per_message": "One message, milliseconds",
    },
    "ru": {
        "accuracy": "Верных ответов",
        "macro_f1": "F1, среднее по меткам",
        "micro_f1": "F1 по всем меткам вместе",
        "ece": "Ошибка калибровки",
        "ece_by_chance": "Ошибка калибровки из-за одной случайности",
        "accuracy_at_80": "Верных среди 80 % самых уверенных",
        "accuracy_at_90": "Верных среди 90 % самых уверенных",
        "coverage_at_95": "Доля ответов при 5 ошибках на 100",
        "oos_recall_keep_95": "Отсеяно посторонних, если сохранить 95 % своих",
        "accuracy_keep_95": "Верных среди своих при этом",
        "auroc": "Различение посторонних (площадь под кривой)",
        "train_seconds": "Обучение, секунд",
        "ms_per_message": "Одно сообщение, миллисекунд",
    },
    "lt": {
        "accuracy": "Teisingų atsakymų",
        "macro_f1": "F1, žymų vidurkis",
        "micro_f1": "F1, visos žymos kartu",
        "ece": "Kalibravimo paklaida",
        "ece_by_chance": "Kalibravimo paklaida vien dėl atsitiktinumo",
        "accuracy_at_80": "Teisingų tarp 80 % tvirčiausių",
        "accuracy_at_90": "Teisingų tarp 90 % tvirčiausių",
        "coverage_at_95": "Atsakymų dalis, kai iš 100 klystama 5 kartus",
        "oos_recall_keep_95": "Atmesta svetimų, kai paliekama 95 % savų",
        "accuracy_keep_95": "Teisingų tarp savų tuomet",
        "auroc": "Svetimų atskyrimas (plotas po kreive)",
        "train_seconds": "Mokymas, sekundės",
        "ms_per_message": "Viena žinutė, milisekundės",
    },
}
"""What the page calls the figures of an evaluation; one that is not listed keeps its own name."""

TIMED = frozenset({"train_seconds", "ms_per_message"})
"""Figures that stand on the page only where they were measured."""

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .75rem;"
    "border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent);"
    "text-align:right}td:first-child,th:first-child{text-align:left}"
    "svg{background:color-mix(in srgb,currentColor 4%,transparent);margin:.5rem 1rem .5rem 0;"
    "max-width:100%;height:auto}svg text{fill:currentColor}"
    "h2{margin-top:2rem}.wide{overflow-x:auto}.matrix td,.matrix th{padding:.15rem .4rem;font-size:.8rem}"
    ".matrix td:first-child{white-space:nowrap}"
    "@media(max-width:40rem){td,th{padding:.25rem .4rem}}"
)

WIDTH, HEIGHT, EDGE = 360, 240, 34


def page(evaluation: Evaluation, language: str = "en", weeks: Sequence[tuple[str, float, int]] = ()) -> str:
    """The report as one HTML page; `weeks` holds (week, accuracy, messages) from real corrections."""
    words = WORDS.get(language, WORDS["en"])
    named = FIGURES.get(language, FIGURES["en"])

    def told(value: float, places: int = 2) -> str:
        number = f"{value:.{places}f}"
        return number if language == "en" else number.replace(".", ",")

    figures = "".join(
        f"<tr><td>{escape(named.get(name, name))}</td><td>{told(value, 3)}</td></tr>"
        for name, value in evaluation.figures.items()
        if value is not None and (value or name not in TIMED)
    )
    labels = "".join(
        f"<tr><td>{_breakable(one.label)}</td><td>{one.support}</td><td>{told(one.precision)}</td>"
        f"<td>{told(one.recall)}</td><td>{told(one.f1)}</td></tr>"
        for one in evaluation.labels
    )
    mistaken = "".join(
        f"<tr><td>{_breakable(true)}</td><td>{_breakable(said)}</td><td>{count}</td></tr>"
        for true, said, count in evaluation.confusions
    )
    charts = chart(evaluation.coverage, words["coverage"]) + chart(
        [(sure, right) for sure, right, _ in evaluation.reliability], words["calibration"], diagonal=True
    )
    if weeks:
        steps = [(number / max(1, len(weeks) - 1), accuracy) for number, (_, accuracy, _) in enumerate(weeks)]
        charts += chart(steps, words["weeks"], ends=(weeks[0][0], weeks[-1][0]))
    table = f"<h2>{words['matrix']}</h2>{as_table(evaluation.pairs)}" if evaluation.pairs else ""
    head = f"<tr><th>{words['label']}</th><th>{words['rows']}</th><th>{words['precision']}</th>"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{words["title"]}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{words['title']}</h1>{charts}"
        f"<h2>{words['figures']}</h2><table>{figures}</table>"
        f'<h2>{words["labels"]}</h2><div class="wide"><table>{head}'
        f"<th>{words['recall']}</th><th>F1</th></tr>{labels}</table></div>"
        f'<h2>{words["confusions"]}</h2><div class="wide"><table><tr><th>{words["true"]}</th>'
        f"<th>{words['said']}</th><th>{words['count']}</th></tr>{mistaken}</table></div>{table}</body></html>"
    )


def _breakable(label: str) -> str:
    """The label's key as HTML that a narrow screen may break between its words."""
    return escape(label).replace("_", "_<wbr>")


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
        f'<line x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{at(0, y)[1]}" y2="{at(0, y)[1]}" '
        f'stroke="currentColor" stroke-opacity=".15"/>'
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
