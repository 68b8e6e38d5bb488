"""Images in and out: reading every container, resizing, drawing."""
