"""Calibration, thresholds and the figures by which answers are judged."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from classifier.calibration import (
    NEVER,
    error_by_chance,
    expected_calibration_error,
    fit_temperature,
    thresholds,
)
from classifier.metrics import (
    accuracy_at,
    auroc,
    coverage_at_precision,
    label_scores,
    macro_f1,
    micro_f1,
    recall_keeping,
)
from classifier.model import softmax

RANDOM = np.random.default_rng(5)


def test_temperature_makes_overconfident_scores_honest() -> None:
    truth = RANDOM.integers(0, 4, 4000)
    honest = RANDOM.normal(size=(4000, 4))
    honest[np.arange(4000), truth] += 1.5
    boastful = honest * 9
    chances = softmax(boastful / fit_temperature(boastful, truth))
    right = chances.argmax(axis=1) == truth
    assert expected_calibration_error(chances.max(axis=1), right) < 0.04
    assert expected_calibration_error(softmax(boastful).max(axis=1), right) > 0.1


def test_what_passes_its_threshold_is_right_as_often_as_asked() -> None:
    truth = RANDOM.integers(0, 3, 9000)
    scores = RANDOM.normal(size=(9000, 3))
    scores[np.arange(9000), truth] += 1.2
    chances = softmax(scores / fit_temperature(scores, truth))
    limits = thresholds(chances[:4500], truth[:4500], 0.9)
    best, top = chances[4500:].argmax(axis=1), chances[4500:].max(axis=1)
    said = top >= limits[best]
    assert 0.15 < said.mean() < 1.0
    assert (best[said] == truth[4500:][said]).mean() > 0.88


def test_a_higher_target_never_lowers_a_threshold() -> None:
    truth = RANDOM.integers(0, 3, 2000)
    scores = RANDOM.normal(size=(2000, 3))
    scores[np.arange(2000), truth] += 1.0
    chances = softmax(scores)
    assert (thresholds(chances, truth, 0.95) >= thresholds(chances, truth, 0.8)).all()


def test_a_label_that_was_never_answered_is_only_proposed() -> None:
    chances = np.array([[0.9, 0.1], [0.8, 0.2]])
    assert thresholds(chances, np.array([0, 0]), 0.95)[1] == NEVER


def test_f1_equals_scikit_learn() -> None:
    truth = [("a",), ("b",), ("a",), ("c",), ("b",)]
    said = [("a",), ("a",), ("a",), ("c",), ("b",)]
    scores = label_scores(truth, said)
    flat_truth, flat_said = [t[0] for t in truth], [s[0] for s in said]
    assert macro_f1(scores) == pytest.approx(f1_score(flat_truth, flat_said, average="macro"))
    assert micro_f1(scores) == pytest.approx(f1_score(flat_truth, flat_said, average="micro"))


def test_area_under_the_curve_equals_scikit_learn_also_with_ties() -> None:
    inside, outside = np.round(RANDOM.normal(1, 1, 200), 1), np.round(RANDOM.normal(0, 1, 90), 1)
    expected = roc_auc_score(np.r_[np.ones(200), np.zeros(90)], np.r_[inside, outside])
    assert auroc(inside, outside) == pytest.approx(expected)


def test_without_strangers_nothing_is_said_of_them() -> None:
    assert auroc(np.ones(3), np.zeros(0)) is None
    assert recall_keeping(np.ones(3), np.zeros(0)) is None


def test_keeping_all_but_a_twentieth_turns_strangers_away() -> None:
    assert recall_keeping(np.arange(100.0), np.array([-1.0, 3.0, 50.0, 4.9]), 0.95) == 0.75


def test_surest_answers_come_first() -> None:
    confidence, right = np.array([0.9, 0.2, 0.8, 0.1]), np.array([True, False, True, False])
    assert accuracy_at(confidence, right, 0.5) == 1.0
    assert accuracy_at(confidence, right, 1.0) == 0.5
    assert coverage_at_precision(confidence, right, 0.95) == 0.5


def test_faultless_doubts_show_an_error_on_few_rows_and_hardly_any_on_many() -> None:
    sure = np.random.default_rng(3).uniform(0.3, 1.0, 20_000)
    assert error_by_chance(sure[:100]) > 0.02
    assert error_by_chance(sure) < 0.015
