"""The API as a state machine: requests, their history, the farm behind them. No HTTP."""
