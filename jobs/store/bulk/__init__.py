"""What costs a table of a million jobs little: its records by the page, and counts that are kept."""
