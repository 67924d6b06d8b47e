"""Models at work: a process each that answers what is asked. Not here: what is kept of them (``store``)."""
