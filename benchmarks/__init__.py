"""Measurements that anyone can repeat. None is part of what is installed."""
