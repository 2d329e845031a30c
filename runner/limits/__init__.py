"""What may stop or slow a run: brake, guards, health, throttle, budget and clock jumps."""
