"""Tables: the eight stages of a job that trains a scikit-learn pipeline on one."""
