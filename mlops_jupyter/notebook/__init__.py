"""The notebook: ``%mlops``, widgets and what stays in the saved file. IPython and anywidget live here."""
