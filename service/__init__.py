"""The streaming microservice: everything that knows Kafka, HTTP or the command line."""
