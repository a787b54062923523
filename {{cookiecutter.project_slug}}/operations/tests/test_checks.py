import pytest
from pytest_django import Settings

from operations.checks import check_max_upload


@pytest.mark.parametrize("value", [0, -1, "50", True, None, 1.5])
def test_e001_a_limit_that_is_no_positive_number(settings: Settings, value: object) -> None:
    settings.OPERATIONS_MAX_UPLOAD_MB = value
    (error,) = check_max_upload()
    assert error.id == "operations.E001"
    assert repr(value) in error.msg


def test_a_whole_number_of_mib_is_right(settings: Settings) -> None:
    settings.OPERATIONS_MAX_UPLOAD_MB = 200
    assert check_max_upload() == []
