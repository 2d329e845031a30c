"""Names that a package imports when they are first asked for."""

import pytest

from jobs.late_names import late_names


def test_a_name_is_taken_from_its_module() -> None:
    from collections import OrderedDict

    named = late_names("shop", {"OrderedDict": "collections"})

    assert named("OrderedDict") is OrderedDict


def test_another_name_is_refused_as_by_any_package() -> None:
    named = late_names("shop", {"OrderedDict": "collections"})

    with pytest.raises(AttributeError, match="module 'shop' has no attribute 'price'"):
        named("price")


def test_a_module_is_imported_only_when_its_name_is_asked_for() -> None:
    named = late_names("shop", {"price": "a_module_that_is_not_there"})

    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        named("price")
