"""What the domain refuses, in the words of a language."""

from domain.errors import LogicalError
from domain.health_index.figures import BeforeFirstMonth
from domain.health_index.table import NoFigure
from domain.use_cases.health_index import NotYetPublished
from entrypoints.http.pages.catalogue import Texts
from entrypoints.http.pages.writing import Writer


def message_of(error: LogicalError, texts: Texts, writer: Writer) -> str:
    """What is wrong, and what would be right. An error that no page is known to meet says so in English."""
    words = texts.errors
    match error:
        case BeforeFirstMonth():
            return words.before_first_month.format(
                first=writer.month(error.first_month), month=writer.month(error.month)
            )
        case NotYetPublished():
            return words.not_yet_published.format(
                month=writer.month(error.month),
                latest=writer.month(error.latest_month),
                date=writer.date(error.next_publication),
            )
        case NoFigure():
            return words.no_figure.format(month=writer.month(error.month), base_year=error.base_year)
        case _:
            return str(error)
