"""What has to be right before a night: token, price, disk, database. Free calls only."""
