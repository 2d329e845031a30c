"""From the cells of a row to the inputs, key and priority of a job."""
