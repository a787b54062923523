"""Pages of rows that nobody counts."""

from django.core.paginator import EmptyPage, Page, Paginator

# PostgreSQL and SQLite take no larger OFFSET than 2**63 - 1.
PAGES_AT_MOST = 2**48


class UncountedPaginator(Paginator):
    """Asks for one row more than a page shows, and so knows whether another page follows.

    To count a user's operations would read all of them, each time that a page of the list renews
    itself. `count` is what is known of it: up to the row after the page that was asked for last.
    """

    is_uncounted = True

    def page(self, number: int | str) -> Page:
        """Raises EmptyPage, or PageNotAnInteger, as Django's own paginator does."""
        # Django compares the number with `num_pages`, which follows from `count`, and keeps both.
        # At first every page may be there; what was fetched tells whether it and the next one are.
        self.count = self.per_page * PAGES_AT_MOST
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        rows = list(self.object_list[first : first + self.per_page + 1])
        if number > 1 and not rows:
            raise EmptyPage(self.error_messages["no_results"])
        self.count = first + len(rows)
        del self.num_pages
        return Page(rows[: self.per_page], number, self)
