"""The service over HTTP: endpoints, controls, and how an answer is sent."""
