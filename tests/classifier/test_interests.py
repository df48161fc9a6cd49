"""Which products a text speaks of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.interests import STUFFED, Catalogue, ProductTerms
from classifier.rules import unmarked

PUMP = ProductTerms("pump", ("насос", "siurblys", "pump"), ("NS-40/2",))
VALVE = ProductTerms("valve", ("обратный клапан", "atbulinis vožtuvas", "check valve"), ("CV 15",))


def products_in(text: str, *catalogue: ProductTerms) -> dict[str, float]:
    """The products found with their confidence."""
    found = Catalogue.of(catalogue or (PUMP, VALVE)).interests(unmarked(text.lower()))
    return {one.product: one.confidence for one in found}


@pytest.mark.parametrize(
    "text",
    ["Нужны два насоса", "интересуемся насосами", "domina siurbliai", "reikia siurblio", "two pumps please"],
)
def test_a_product_is_known_in_any_form(text: str) -> None:
    assert set(products_in(text)) == {"pump"}


@pytest.mark.parametrize(
    "text", ["обратные клапаны", "atbulinių vožtuvų", "Atbuliniai voztuvai", "check valves"]
)
def test_a_name_of_several_words_is_known_in_any_form(text: str) -> None:
    assert set(products_in(text)) == {"valve"}


@pytest.mark.parametrize("text", ["цена на NS-40/2?", "ns 40/2, 3 pcs", "NS40/2.", "cv-15"])
def test_article_numbers_are_known_however_written(text: str) -> None:
    assert max(products_in(text).values()) > 0.95


@pytest.mark.parametrize("text", ["насосная станция не нужна, нужен носок", "pumpkin soup", "order 15"])
def test_other_words_are_not_products(text: str) -> None:
    assert "valve" not in products_in(text)
    assert "pump" not in products_in("pumpkin soup")


def test_naming_the_whole_catalogue_shows_little_interest() -> None:
    many = tuple(ProductTerms(f"p{n}", (f"machine{chr(97 + n)}",)) for n in range(STUFFED + 5))
    stuffed = products_in(" ".join(one.terms[0] for one in many), *many)
    assert max(stuffed.values()) < 0.5
    assert max(products_in("machinea please", *many).values()) > 0.7


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    assert all(0 < sure <= 1 for sure in products_in(text).values())
