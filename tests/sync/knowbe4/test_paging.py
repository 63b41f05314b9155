"""Lists are read to their proper end, or not at all."""

import pytest

from sync.knowbe4 import resources
from sync.knowbe4.errors import BadRequest, InvalidReply, PagingBroken, PositionLost
from sync.knowbe4.paging import Position
from tests.sync.knowbe4.rows import enrollment, enrollments, user
from tests.sync.knowbe4.server import Reply


def envelope(rows, cursor, home="pagination", **more):
    return {"data": rows, home: {"per_page": 500, "next_cursor": cursor}, **more}


def campaigns(count, first=1):
    return [
        {"campaign_id": number, "name": f"C{number}", "status": "In Progress"} for number in range(first, first + count)
    ]


def read(client, resource=resources.ENROLLMENTS, **kwargs):
    return list(client.pages(resource, **kwargs))


# Cursor mode


@pytest.mark.parametrize("home", ["pagination", "_metadata", "metadata", "meta"])
@pytest.mark.parametrize("cursor", [4711, "eyJpZCI6NDcxMX0="])
@pytest.mark.parametrize("end", [None, ""])
def test_cursor_is_followed_wherever_it_stands(client, server, home, cursor, end):
    server.says(envelope(enrollments(2), cursor, home), envelope(enrollments(1, first=3), end, home))

    pages = read(client, params={"campaign_id": 3})

    assert [[item.enrollment_id for item in page.items] for page in pages] == [[1, 2], [3]]
    assert [page.number for page in pages] == [1, 2]
    assert pages[-1].next is None
    assert [asked["cursor"] for asked in server.params] == ["true", str(cursor)]
    assert {asked["campaign_id"] for asked in server.params} == {"3"}
    assert not any("page" in asked for asked in server.params)


@pytest.mark.parametrize(
    "header",
    [
        {"X-Next-Cursor": "abc"},
        {"Link": '<https://us.api.knowbe4.com/v1/users?per_page=500&cursor=abc>; rel="next"'},
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_cursor_in_a_header_is_followed(client, server, header, wrapped):
    def rows(found):
        return {"data": found} if wrapped else found

    server.says(Reply(rows(enrollments(2)), headers=header), rows(enrollments(1, first=3)))

    pages = read(client)

    assert [len(page.items) for page in pages] == [2, 1]
    assert [asked["cursor"] for asked in server.params] == ["true", "abc"]


def test_header_cursors_end_with_a_full_page_and_no_header(client, server):
    server.says(Reply(enrollments(500), headers={"X-Next-Cursor": "abc"}), enrollments(500, first=501))

    assert [len(page.items) for page in read(client)] == [500, 500]


def test_full_envelope_without_cursor_is_no_end(client, server):
    server.says({"data": enrollments(500), "paging": {"after": 9}})

    with pytest.raises(PagingBroken, match="without a known cursor"):
        read(client)


def test_full_is_what_the_envelope_says_it_is(client, server):
    server.says({"data": enrollments(100), "pagination": {"per_page": 100}})

    with pytest.raises(PagingBroken, match="without a known cursor"):
        read(client)


def test_short_envelope_without_cursor_is_the_end(client, server):
    server.says({"data": enrollments(499)})

    assert len(read(client)[0].items) == 499


def test_repeated_cursor_is_an_error(client, server):
    server.says(envelope(enrollments(2), 7), envelope(enrollments(2, first=3), 7))

    with pytest.raises(PagingBroken, match="repeated"):
        read(client)


def test_cursors_in_a_circle_are_an_error(client, server):
    server.says(*(envelope(enrollments(1, first=n), cursor) for n, cursor in enumerate([7, 8, 9, 7], start=1)))

    pages = client.pages(resources.ENROLLMENTS)
    assert [next(pages).number for _ in range(3)] == [1, 2, 3]
    with pytest.raises(PagingBroken, match="repeats itself"):
        next(pages)


@pytest.mark.parametrize("start_again", [0, "0", "true"])
def test_cursor_back_to_the_start_is_an_error(client, server, start_again):
    server.says(envelope(enrollments(2), start_again))

    with pytest.raises(PagingBroken):
        read(client)


def test_page_equal_to_the_one_before_is_an_error(client, server):
    server.says(envelope(enrollments(2), 7), envelope(enrollments(2), 8))

    with pytest.raises(PagingBroken, match="rows of the page before"):
        read(client)


def test_cursor_that_is_neither_text_nor_number_is_no_answer(client, server):
    server.says(envelope(enrollments(2), {"id": 7}))

    with pytest.raises(InvalidReply):
        read(client)


def test_empty_page_with_a_cursor_goes_on_but_not_for_ever(client, server):
    server.says(envelope([], 7), envelope(enrollments(1), None))
    assert [len(page.items) for page in read(client)] == [0, 1]

    cursors = iter(range(10, 1000))
    server.says(lambda asked: Reply(envelope([], next(cursors))))
    with pytest.raises(PagingBroken):
        read(client)
    assert len(server.asked) < 30


def test_empty_list_ends_at_once(client, server):
    for body in ([], envelope([], None), {"data": []}):
        server.says(body)
        (page,) = read(client)
        assert (page.items, page.next, page.number) == ([], None, 1)


# Page mode


def test_bare_array_in_reply_to_a_cursor_means_page_mode(client, server):
    server.says(enrollments(500), enrollments(500, first=501), enrollments(7, first=1001))

    pages = read(client)

    assert [len(page.items) for page in pages] == [500, 500, 7]
    assert [(asked.get("cursor"), asked.get("page")) for asked in server.params] == [
        ("true", None),
        (None, "2"),
        (None, "3"),
    ]


def test_page_mode_ends_with_an_empty_page_when_the_last_one_was_full(client, server):
    server.says(enrollments(500), [])

    pages = read(client)

    assert [len(page.items) for page in pages] == [500, 0]
    assert pages[0].next is not None
    assert pages[1].next is None


def test_page_that_is_ignored_is_noticed(client, server):
    server.says(enrollments(500))

    with pytest.raises(PagingBroken, match="rows of the page before"):
        read(client)
    assert len(server.asked) == 2


def test_page_that_is_rejected_is_a_lost_position(client, server):
    server.says(enrollments(500), Reply({"message": "page is no longer supported"}, status=400))

    with pytest.raises(PositionLost, match="read it again from the start"):
        read(client)


def test_first_request_that_is_rejected_is_a_bad_request(client, server):
    server.says(Reply({"message": "no"}, status=400))

    with pytest.raises(BadRequest, match="check the content and group ids"):
        read(client)


def test_page_answered_with_a_cursor_is_an_error(client, server):
    server.says(enrollments(500), envelope(enrollments(500, first=501), 9))

    with pytest.raises(PagingBroken, match="no longer takes page numbers"):
        read(client)


# Campaigns


def test_campaigns_leave_percentages_out_and_end_with_a_short_page(client, server):
    server.says(campaigns(12))

    (page,) = read(client, resources.CAMPAIGNS)

    assert len(page.items) == 12
    assert server.params == [{"exclude_percentages": "true", "per_page": "500", "cursor": "true"}]


@pytest.mark.parametrize(
    ("resource", "params"),
    [(resources.CAMPAIGN_PERCENTAGES, {}), (resources.CAMPAIGNS, {"exclude_percentages": None})],
)
def test_campaigns_with_percentages_end_with_an_empty_page_only(client, server, resource, params):
    server.says(campaigns(10), campaigns(3, first=11), [])

    pages = read(client, resource, params=params)

    assert [len(page.items) for page in pages] == [10, 3, 0]
    assert "exclude_percentages" not in server.params[0]


def test_campaign_percentages_ask_for_ten(client, server):
    server.says(envelope(campaigns(10), 11), envelope(campaigns(3, first=11), None))

    assert [len(page.items) for page in read(client, resources.CAMPAIGN_PERCENTAGES)] == [10, 3]
    assert {asked["per_page"] for asked in server.params} == {"10"}


def test_capped_envelope_without_cursor_is_no_end(client, server):
    server.says({"data": campaigns(10)})

    with pytest.raises(PagingBroken):
        read(client, resources.CAMPAIGNS, params={"exclude_percentages": False})


# Unpaged


def test_unpaged_history_comes_in_one_request(client, server):
    server.says([{"risk_score": 1.5, "date": "2025-03-01"}] * 700)

    (page,) = read(client, resources.USER_RISK_HISTORY, path_args={"user_id": 9}, params={"full": True})

    assert (len(page.items), page.next) == (700, None)
    assert server.params == [{"full": "true"}]
    assert server.asked[0].path == "/v1/users/9/risk_score_history"


# Resuming


@pytest.mark.parametrize(
    "replies",
    [
        [envelope([user(1)], "a:b:c"), envelope([user(2)], 8), envelope([user(3)], None)],
        [Reply([user(n)], headers={"X-Next-Cursor": str(n)}) for n in (7, 8)] + [[user(9)]],
        [[user(n) for n in range(500)], [user(n) for n in range(500, 1000)], [user(1000)]],
    ],
    ids=["cursor", "header", "page"],
)
def test_list_resumes_where_it_stopped(client, server, replies):
    server.says(*replies)
    whole = read(client, resources.USERS, params={"status": "active"})
    asked = server.params

    for stop in (1, 2):
        server.says(*replies[stop:])
        rest = read(client, resources.USERS, params={"status": "active"}, start=whole[stop - 1].next)
        assert [(page.number, page.items, page.next) for page in rest] == [
            (page.number, page.items, page.next) for page in whole[stop:]
        ]
        assert server.params == asked[stop:]


def test_resumed_page_equal_to_the_one_before_is_an_error(client, server):
    server.says(envelope(enrollments(2), 7), envelope(enrollments(2), 8))
    first = next(client.pages(resources.ENROLLMENTS))

    with pytest.raises(PagingBroken):
        read(client, start=first.next)


def test_cursor_that_expired_is_a_lost_position(client, server):
    server.says(Reply({"message": "Invalid cursor"}, status=400))

    with pytest.raises(PositionLost):
        read(client, start=str(Position("cursor", 4, "7", "abc")))


@pytest.mark.parametrize("start", ["x", "cursor:1", "page:2::7", "cursor:x::7", "start:1::"])
def test_position_that_is_none_is_refused(client, start):
    with pytest.raises(ValueError, match="Not a position"):
        client.pages(resources.USERS, start=start)


def test_rows_that_do_not_decode_count_for_the_end(client, server):
    server.says([enrollment(n) for n in range(1, 500)] + [{"enrollment_id": 2**64, "status": "Passed"}], [])

    pages = read(client)

    assert [(len(page.items), len(page.rejected)) for page in pages] == [(499, 1), (0, 0)]
