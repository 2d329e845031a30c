"""What may stop or slow a run: brake, guards, health, throttle, budget, a clock that jumps."""
