"""What the page shows beside the grid: doubts, failures, money. Each is read when it is looked at."""
