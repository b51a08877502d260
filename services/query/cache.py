"""The latest answers, as many as fit into a number of bytes.

Pure: no framework.
"""

from services.query.answers import Kept, Sent

OVERHEAD = 1500
"""About what an answer takes beside its bodies: headers, tags, the question."""


class Cache:
    """Answers by their questions; when there is no more room, the one not asked for the longest goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: dict[bytes, Kept] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, question: bytes) -> Kept | None:
        """Return the answer to a question as it was last made."""
        answer = self._kept.pop(question, None)
        if answer is not None:
            self._kept[question] = answer
        return answer

    def keep(self, answer: Kept) -> None:
        """Keep an answer, instead of an earlier one to the same question."""
        self._drop(answer.question)
        cost = answer.size + OVERHEAD
        if cost > self._limit:
            return
        while self.size + cost > self._limit:
            self._drop(next(iter(self._kept)))
        self._kept[answer.question] = answer
        self.size += cost

    def keep_packed(self, answer: Kept, packed: Sent) -> None:
        """Keep the packed body of an answer too, if that is still kept itself."""
        if self._kept.get(answer.question) is answer:
            self._drop(answer.question)
            answer.packed = packed
            self.keep(answer)

    def _drop(self, question: bytes) -> None:
        answer = self._kept.pop(question, None)
        if answer is not None:
            self.size -= answer.size + OVERHEAD
