"""People as they were placed at a moment: their department and manager of then, from the recorded changes.

What a person's department was at t is the old value of the first change seen after t; without such a change it is
what it is now. So before the first sync the earliest known place stands.
"""

from dashboard.rollups.facts import NAME_KEY
from sync.models.people import DEPARTMENT_KEY

# %(now)s is the moment. Changes hold KnowBe4's texts; a department's key and a manager's email are matched as publish
# matches them (without case and outer blanks), among the departments and people of today.
_CHANGED = """
    SELECT subject_id AS person_id, max(old) FILTER (WHERE field = 'department_name') AS department_name,
           bool_or(field = 'department_name') AS is_department_changed,
           max(old) FILTER (WHERE field = 'manager_email') AS manager_email,
           max(old) FILTER (WHERE field = 'manager_name') AS manager_name,
           bool_or(field IN ('manager_email', 'manager_name')) AS is_manager_changed
    FROM (
        SELECT DISTINCT ON (subject_id, field) subject_id, field, coalesce(old, '') AS old
        FROM sync_change
        WHERE account_id = %(account)s AND subject = 1 AND observed_at > %(now)s
          AND field IN ('department_name', 'manager_email', 'manager_name')
        ORDER BY subject_id, field, observed_at, id
    ) first_after
    GROUP BY subject_id
"""

# Active people first, then the oldest: as publish does it.
_BY_EMAIL = """
    SELECT DISTINCT ON (upper(email)) upper(email) AS email, id
    FROM sync_person WHERE account_id = %(account)s AND email <> '' AND removed_at IS NULL
    ORDER BY upper(email), (status = 'active') DESC, id
"""
_DEPARTMENTS = """
    SELECT spelling.key, CASE WHEN home.key = '' THEN 0 ELSE home.id END AS id
    FROM sync_department spelling
    JOIN sync_department home ON home.id = coalesce(spelling.merged_into_id, spelling.id)
    WHERE spelling.account_id = %(account)s
"""

# One row per person whose place differed: null where the department or the manager is that of now.
_PLACES = f"""
    SELECT changed.person_id,
           CASE WHEN is_department_changed THEN coalesce(department.id, 0) END AS department_id,
           CASE WHEN is_manager_changed THEN coalesce(by_email.id, {NAME_KEY.format("name.text")}) END AS manager_id
    FROM ({_CHANGED}) changed
    JOIN sync_person person ON person.id = changed.person_id
    CROSS JOIN LATERAL (
        SELECT btrim(coalesce(changed.manager_name, person.manager_name)) AS text,
               upper(btrim(coalesce(changed.manager_email, person.manager_email))) AS email
    ) name
    LEFT JOIN ({_DEPARTMENTS}) department
      ON department.key = {DEPARTMENT_KEY.format("changed.department_name")}
    LEFT JOIN ({_BY_EMAIL}) by_email ON by_email.email = name.email AND by_email.id <> changed.person_id
"""


def _placed(table: str, columns: str) -> str:
    return f"""
        (SELECT {columns}, coalesce(placed.department_id, here.department_id) AS department_id,
                coalesce(placed.manager_id, here.manager_id) AS manager_id
         FROM {table} here LEFT JOIN ({_PLACES}) AS placed USING (person_id)
         WHERE here.account_id = %(account)s) f
    """


# Facts and people as `dashboard_fact f` and `dashboard_personstanding f`, placed as of %(now)s.
THEN_FACTS = _placed(
    "dashboard_fact",
    "here.enrollment_id, here.account_id, here.person_id, here.campaign_id, here.content_type, here.enrolled_at, "
    "here.started_at, here.completed_at, here.due_at, here.removed_at, here.left_at, here.until, here.is_due_unknown, "
    "here.is_acknowledged",
)
THEN_PEOPLE = _placed("dashboard_personstanding", "here.person_id, here.account_id, here.joined_at, here.left_at")
