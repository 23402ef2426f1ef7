"""The checks of exercise 30 for pytest: PROGRAM is the file of a Python program."""

import os
import sys

import pytest
import struct_header


@pytest.mark.parametrize("check", struct_header.ALL, ids=lambda check: check.__name__)
def test_struct_header(check):
    check([sys.executable, os.environ["PROGRAM"]])
