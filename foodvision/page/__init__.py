"""The web page: dashboard, scripts, template, server, feedback and links."""
