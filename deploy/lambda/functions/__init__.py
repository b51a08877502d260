"""adledger's processes as Lambda functions behind an HTTP API."""
