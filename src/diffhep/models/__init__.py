"""Statistical models: HistFactory as pytrees, from arrays or pyhf workspaces."""
