"""Lists a page at a time, each page found by the key of the row before it: as quick at the millionth row as at first.

No other order is possible so; lists in the order of the pages are `enrollment_list` and `people_lists`.
"""
