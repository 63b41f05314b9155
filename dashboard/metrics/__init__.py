"""Every definition: the only home of numbers.

Rules, counts and the registry of metrics; pages, exports, mail and API call these and retype nothing.
"""

from dashboard.metrics.ages import AGE_LIMITS as AGE_LIMITS
from dashboard.metrics.ages import Age as Age
from dashboard.metrics.ages import days_late as days_late
from dashboard.metrics.ages import days_past_due as days_past_due
from dashboard.metrics.campaigns import CampaignState as CampaignState
from dashboard.metrics.campaigns import campaign_state as campaign_state
from dashboard.metrics.counts import COUNT_NAMES as COUNT_NAMES
from dashboard.metrics.counts import NO_COUNTS as NO_COUNTS
from dashboard.metrics.counts import NOTHING_DUE as NOTHING_DUE
from dashboard.metrics.counts import Cohort as Cohort
from dashboard.metrics.counts import Counts as Counts
from dashboard.metrics.counts import Totals as Totals
from dashboard.metrics.intervals import COHORT_INTERVALS as COHORT_INTERVALS
from dashboard.metrics.intervals import INTERVALS as INTERVALS
from dashboard.metrics.intervals import Interval as Interval
from dashboard.metrics.rules import CANCELLED_STATUSES as CANCELLED_STATUSES
from dashboard.metrics.rules import DONE_STATUSES as DONE_STATUSES
from dashboard.metrics.rules import DUE_SOON as DUE_SOON
from dashboard.metrics.rules import NEVER as NEVER
from dashboard.metrics.rules import Requirement as Requirement
from dashboard.metrics.rules import active as active
from dashboard.metrics.rules import campaign_counts as campaign_counts
from dashboard.metrics.rules import campaign_counts_itself as campaign_counts_itself
from dashboard.metrics.rules import completed as completed
from dashboard.metrics.rules import completed_late as completed_late
from dashboard.metrics.rules import counted as counted
from dashboard.metrics.rules import done_status as done_status
from dashboard.metrics.rules import eligible as eligible
from dashboard.metrics.rules import in_progress as in_progress
from dashboard.metrics.rules import known_status as known_status
from dashboard.metrics.rules import left_at as left_at
from dashboard.metrics.rules import not_started as not_started
from dashboard.metrics.rules import on_time as on_time
from dashboard.metrics.rules import open_until as open_until
from dashboard.metrics.rules import past_due as past_due
from dashboard.metrics.rules import standing as standing
from dashboard.metrics.states import State as State
from dashboard.metrics.states import state as state
