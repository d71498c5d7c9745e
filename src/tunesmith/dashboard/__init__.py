"""The dashboard: pages and a JSON API over the studies of one storage, live while they run.

Each open study is one fold in the server (`live`), which reads on and is never read anew. Pages are made
of it on the server (`pages`, `templates/`), the same facts are answered as JSON (`api`), and what people do
here becomes events of the log (`verbs`). Open pages hear by server-sent events that something has changed
(`changes`) and fetch themselves once more. Who may do what is decided in one place (`guard`).
"""

from tunesmith.dashboard.app import application
from tunesmith.dashboard.guard import Access
from tunesmith.dashboard.server import serve

__all__ = ["Access", "application", "serve"]
