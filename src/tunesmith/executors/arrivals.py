"""What works in other processes have said, until an inbox hears it."""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, final

from tunesmith.executors.executor import LATER, Ended, Inbox, Key


class Asker(Protocol):
    """Whoever runs a work that may wait for an answer."""

    asks: bool


class _Message(NamedTuple):
    key: Key
    content: Any
    asker: Asker | None  # that waits for the answer


@final
class Arrivals:
    """Messages in the order in which they came."""

    def __init__(self) -> None:
        self._messages: deque[_Message] = deque()

    def __bool__(self) -> bool:
        return bool(self._messages)

    def add(self, key: Key, content: Any, asker: Asker | None = None) -> None:
        """Take a message; `asker` waits for its answer."""
        self._messages.append(_Message(key, content, asker))

    def silence(self, key: Key) -> None:
        """Forget what a cancelled work has said, but not how it ended."""
        self._messages = deque(
            message
            for message in self._messages
            if message.key != key or isinstance(message.content, Ended)
        )

    def clear(self) -> None:
        """Forget everything."""
        self._messages.clear()

    def deliver(self, inbox: Inbox, reply: Callable[[Key, Any], object]) -> None:
        """Hand over what is here, and not what comes meanwhile: the caller goes on, too.

        Args:
            inbox: Hears the messages.
            reply: Called with the key and the answer to a request, if the inbox has one at once.
        """
        for _ in range(len(self._messages)):
            if self._messages:  # the inbox may have cancelled it
                key, content, asker = self._messages.popleft()
                if asker is not None:
                    asker.asks = True
                value = inbox(key, content)
                if asker is not None and value is not LATER:
                    reply(key, value)
