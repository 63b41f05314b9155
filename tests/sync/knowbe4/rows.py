"""Rows as KnowBe4 sends them."""

from typing import Any


def enrollment(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "enrollment_id": number,
        "content_type": "Store Purchase",
        "module_name": "Safe & Sound: Passwords",
        "user": {
            "id": 900 + number,
            "first_name": "Zoë",
            "last_name": "Lind",
            "email": f"zoe.{number}@northwind.example",
            "employee_number": f"E{number}",
        },
        "campaign_name": "Annual",
        "campaign_id": 3,
        "store_purchase_id": 44,
        "enrollment_date": "2025-03-01T08:00:00.000Z",
        "start_date": "2025-03-02T08:00:00.000Z",
        "completion_date": "2025-03-02T08:20:00.000Z",
        "status": "Passed",
        "time_spent": 1200,
        "policy_acknowledged": False,
        **changes,
    }


def enrollments(count: int, first: int = 1) -> list[dict[str, Any]]:
    return [enrollment(number) for number in range(first, first + count)]


def user(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": number, "email": f"p{number}@northwind.example", "status": "active", "groups": [], **changes}
