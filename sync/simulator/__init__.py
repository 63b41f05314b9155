"""A KnowBe4 that runs here: an invented company whose state follows from seed, size and time, served over HTTP."""

from .clock import Clock
from .company import Company
from .disguises import DISGUISES, UnknownDisguiseError
from .faults import FAULTS, Fault, UnknownFaultError
from .limits import Limits
from .paging import STYLES
from .server import Request, Simulator, serve

__all__ = [
    "DISGUISES",
    "FAULTS",
    "STYLES",
    "Clock",
    "Company",
    "Fault",
    "Limits",
    "Request",
    "Simulator",
    "UnknownDisguiseError",
    "UnknownFaultError",
    "serve",
]
