"""The checks of exercise 30 for check50, which runs each in a process of its own."""

import pathlib
import sys

import check50

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import struct_header  # noqa: E402


def wrapped(check):
    try:
        check([sys.executable, "server.py"])
    except (AssertionError, OSError) as error:
        raise check50.Failure(str(error)) from error


@check50.check()
def exists():
    """server.py exists"""
    check50.exists("server.py")


@check50.check(exists)
def one_message():
    """answers one message"""
    wrapped(struct_header.one_message)


@check50.check(exists)
def several_messages():
    """answers several messages"""
    wrapped(struct_header.several_messages)


@check50.check(exists)
def empty_message():
    """answers an empty message"""
    wrapped(struct_header.empty_message)


@check50.check(exists)
def split_anywhere():
    """reads a message cut anywhere"""
    wrapped(struct_header.split_anywhere)


@check50.check(exists)
def byte_by_byte():
    """reads a message byte by byte"""
    wrapped(struct_header.byte_by_byte)


@check50.check(exists)
def two_in_one():
    """answers two messages in one piece"""
    wrapped(struct_header.two_in_one)


@check50.check(exists)
def large_message():
    """answers a large message"""
    wrapped(struct_header.large_message)


@check50.check(exists)
def length_too_large():
    """closes for a length that is too large"""
    wrapped(struct_header.length_too_large)


@check50.check(exists)
def length_highest_bit():
    """closes for a length with the highest bit set"""
    wrapped(struct_header.length_highest_bit)


@check50.check(exists)
def second_waits():
    """serves a second client that came meanwhile"""
    wrapped(struct_header.second_waits)


@check50.check(exists)
def goodbye_in_a_frame():
    """serves the next when a client leaves"""
    wrapped(struct_header.goodbye_in_a_frame)


@check50.check(exists)
def reset_in_a_frame():
    """serves the next when a client resets"""
    wrapped(struct_header.reset_in_a_frame)
