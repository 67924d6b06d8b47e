"""Ways to run a job. They start, signal and watch processes; what a job is and becomes is not theirs."""
