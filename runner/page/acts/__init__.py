"""What a person may do on the page, one file an act: none of them pays, or loosens a limit."""
