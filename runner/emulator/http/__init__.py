"""The service over HTTP: endpoints, controls, and how an answer leaves."""
