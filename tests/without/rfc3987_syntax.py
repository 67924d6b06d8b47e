"""In place of a package that compiles a grammar of addresses while it is imported, for two seconds, in every
Jupyter server. Jupyter goes on without it, as where it is not installed, and no test has such an address."""

raise ImportError("The tests go without.")
