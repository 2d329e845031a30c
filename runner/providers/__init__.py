"""APIs that offer models. `runcomfy` is the only place that knows that API's JSON and codes."""
