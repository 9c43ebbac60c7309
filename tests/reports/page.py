"""Reads a report back as a browser would."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "img", "source", "br", "input"}


class Page(HTMLParser):
    """The elements of a page: `elements` of (tag, attributes), the text of each, and the tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.contents: list[list[str]] = []
        self.unbalanced: list[str] = []
        self._open: list[int] = []
        self.feed(text)
        self.close()

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.contents.append([])
        if tag not in _VOID:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self.elements[self._open[-1]][0] == tag:
            self._open.pop()
        else:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        for index in self._open:
            self.contents[index].append(data)

    def texts(self, tag: str) -> list[str]:
        return [
            "".join(content) for (name, _), content in zip(self.elements, self.contents, strict=True) if name == tag
        ]

    def attribute(self, tag: str, name: str) -> list[str]:
        return [attributes[name] for element, attributes in self.elements if element == tag and name in attributes]

    def table(self, number: int) -> list[list[str]]:
        """The cells of the n-th table, row by row, the headings first."""
        start = [index for index, tag in enumerate(self.tags) if tag == "table"][number]
        rows: list[list[str]] = []
        for (tag, _), content in zip(self.elements[start + 1 :], self.contents[start + 1 :], strict=True):
            if tag == "table":
                break
            if tag == "tr":
                rows.append([])
            elif tag in ("td", "th"):
                rows[-1].append("".join(content))
        return rows

    def rows_under(self, heading: str) -> list[list[str]]:
        """The rows of all tables in the section under a heading."""
        sections = [index for index, tag in enumerate(self.tags) if tag == "section"]
        titles = self.texts("h2")
        first = sections[titles.index(heading)]
        last = next((index for index in sections if index > first), len(self.tags))
        numbers = [index for index, tag in enumerate(self.tags) if tag == "table"]
        return [row for n, index in enumerate(numbers) if first < index < last for row in self.table(n)]
