"""The departments: their size, their habits, and the ways their names get typed."""

from typing import NamedTuple


class Department(NamedTuple):
    """One department. `diligence` is the share of tasks done on time in good days; `gullible` scales phishing."""

    number: int
    name: str
    weight: int
    diligence: float
    gullible: float
    head: str
    titles: tuple[str, ...]
    spellings: tuple[str, ...]


_BASE = (
    ("Claims", 318, 0.85, 1.1, "Claims", ("Claims Handler", "Loss Adjuster", "Claims Analyst"), ("claims", "Claims ")),
    (
        "Customer Service",
        284,
        0.71,
        1.5,
        "Customer Service",
        ("Customer Advisor", "Call Center Agent", "Complaints Specialist"),
        ("Customer service ", "customer  service", "CUSTOMER SERVICE"),
    ),
    ("Underwriting", 212, 0.88, 0.9, "Underwriting", ("Underwriter", "Risk Analyst", "Pricing Assistant"), ()),
    ("Sales", 188, 0.81, 1.3, "Sales", ("Account Manager", "Broker Liaison", "Sales Associate"), ("sales",)),
    ("Engineering", 166, 0.91, 0.6, "Engineering", ("Software Engineer", "Test Engineer", "Data Engineer"), ()),
    (
        "Field Assessment",
        143,
        0.79,
        1.2,
        "Field Assessment",
        ("Field Assessor", "Site Inspector"),
        ("Field  Assessment",),
    ),
    (
        "IT Operations",
        118,
        0.94,
        0.5,
        "IT Operations",
        ("Systems Administrator", "Service Desk Analyst"),
        ("IT operations",),
    ),
    (
        "Finance",
        112,
        0.94,
        0.8,
        "Finance",
        ("Accountant", "Payments Clerk", "Financial Analyst"),
        ("Finance & Treasury",),
    ),
    ("Marketing", 74, 0.92, 1.1, "Marketing", ("Content Editor", "Campaign Planner"), ()),
    ("People", 66, 0.97, 0.9, "People", ("People Partner", "Recruiter", "Payroll Specialist"), ()),
    ("Legal", 52, 0.91, 0.7, "Legal", ("Counsel", "Paralegal", "Compliance Officer"), ()),
    ("Facilities", 48, 0.78, 1.3, "Facilities", ("Building Technician", "Receptionist"), ("facilities ",)),
    ("Actuarial", 39, 0.97, 0.5, "Actuarial", ("Actuary", "Actuarial Analyst"), ()),
    ("Executive Office", 22, 0.84, 1.0, "Executive Office", ("Executive Assistant", "Strategy Analyst"), ()),
)
_REGIONS = ("", "North", "South", "East", "West", "Coastal", "Highland", "Overseas", "Central")


def build_departments(count: int) -> tuple[Department, ...]:
    """Return `count` departments: the fourteen of the company, then their regional twins ("Claims North", ...).

    More than 14 x 9 raise ValueError.
    """
    if not 1 <= count <= len(_BASE) * len(_REGIONS):
        raise ValueError(f"A company has 1 to {len(_BASE) * len(_REGIONS)} departments, not {count}.")
    made = []
    for number in range(count):
        region, base = divmod(number, len(_BASE))
        name, weight, diligence, gullible, head, titles, spellings = _BASE[base]
        if region:
            name, spellings = f"{name} {_REGIONS[region]}", ()
            diligence = max(0.6, diligence - 0.01 * region)
        made.append(Department(number, name, weight, diligence, gullible, head, titles, spellings))
    return tuple(made)


LOCATIONS = ("Brackwater", "Halden Quay", "Eastmoor", "Vellinge Cross", "Remote")
LANGUAGES = ("English - United States",) * 8 + (
    "English - United Kingdom",
    "French - France",
    "Polish",
    "Spanish - Spain",
)
