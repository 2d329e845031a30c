"""Files and folders, whoever named them: safe names, and writes that are whole or not there."""
