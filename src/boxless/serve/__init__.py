"""A REST service and a web page over a Localizer, and the same page without a server."""
