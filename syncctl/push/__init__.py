"""Creates in a service what it does not have yet, each record once: queue, settle, resolve, send, follow."""
