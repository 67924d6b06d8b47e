"""The Python client of the server: what kernels, scripts and the command line speak through.

It finds (or starts) a server, sends jobs to it and follows them. Not here: anything that needs
IPython or a widget (``notebook``).
"""
