"""What runs beside ``estimator.fit``, in a process of its own. It knows no server and no Tornado."""
